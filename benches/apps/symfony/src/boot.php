<?php

declare(strict_types=1);

// Debian's packages, where they put it.
error_reporting(E_ALL & ~E_DEPRECATED);
require_once '/usr/share/php/Symfony/Bundle/FrameworkBundle/autoload.php';
require_once '/usr/share/php/Symfony/Bundle/TwigBundle/autoload.php';
require_once __DIR__ . '/Kernel.php';
require_once __DIR__ . '/TableController.php';

return new Bench\Kernel('prod', false);
