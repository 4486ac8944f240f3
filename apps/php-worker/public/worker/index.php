<?php

declare(strict_types=1);

use Minerals\Application;

require __DIR__ . '/../../src/autoload.php';

$application = Application::boot();
$application->prepare();

while (mod_wasm_handle_request($application->answer(...)));
