<?php

declare(strict_types=1);

use Minerals\Application;

require __DIR__ . '/../../src/autoload.php';

Application::boot()->answer();
