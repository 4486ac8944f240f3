<?php

declare(strict_types=1);

use Symfony\Component\HttpFoundation\Request;

$kernel = require dirname(__DIR__, 2) . '/src/boot.php';
$request = Request::createFromGlobals();
$response = $kernel->handle($request);
$response->send();
$kernel->terminate($request, $response);
