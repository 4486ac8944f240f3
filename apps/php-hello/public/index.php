<?php
$name = trim($_GET['name'] ?? '') ?: 'world';
header('Content-Type: text/html; charset=utf-8');
?>
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>PHP in WebAssembly</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Hello, <?= htmlspecialchars($name) ?>!</h1>
<p>This page was made by PHP <?= PHP_VERSION ?> on <?= php_uname('m') ?>, in a sandbox that was made for this
request and is gone by now.</p>
<form>
<label>Your name <input name="name" maxlength="60"></label>
<button>Greet me</button>
</form>
<p><a href="/">All demos</a></p>
</main>
</body>
</html>
