<?php

declare(strict_types=1);

use Symfony\Component\HttpFoundation\Request;

$kernel = require dirname(__DIR__, 2) . '/src/boot.php';
$kernel->boot();
// Services are made when they are asked for: what the page needs is made before.
$kernel->handle(Request::create('/'));

while (frankenphp_handle_request(function () use ($kernel, &$request, &$response): void {
    $request = Request::createFromGlobals();
    $response = $kernel->handle($request);
    $response->send();
})) {
    $kernel->terminate($request, $response);
}
