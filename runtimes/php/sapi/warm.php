<?php
(function (): array {
    /* The scripts that PHP_WARM names. sapi/warm.c evaluates this before the snapshot is taken, and compiles them. */

    /** A folder stands for all below it, a list for its lines, anything else for itself. */
    $scripts_of = function (string $path): array {
        if (str_ends_with($path, '.list') && is_file($path)) {
            return file($path, FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES);
        }
        if (!is_dir($path)) {
            return [$path];
        }
        $below = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($path, FilesystemIterator::SKIP_DOTS | FilesystemIterator::CURRENT_AS_PATHNAME));
        $found = array_filter(iterator_to_array($below, false), fn ($file) => str_ends_with($file, '.php'));
        sort($found);
        return $found;
    };

    $scripts = [];
    foreach (explode(':', getenv('PHP_WARM')) as $name) {
        $paths = glob($name) ?: [];
        $paths || error_log("PHP_WARM: there is no $name");
        foreach ($paths as $path) {
            array_push($scripts, ...$scripts_of($path));
        }
    }
    return array_values(array_unique($scripts));
})()
