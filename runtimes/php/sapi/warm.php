<?php
/* Compiles what PHP_WARM names into OPcache: sapi/warm.c runs this before the snapshot is taken. */

/** Scripts that a name stands for: a folder for all below it, a list for its lines, anything else for itself. */
function scripts_of(string $path): iterable
{
    if (is_dir($path)) {
        $below = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($path, FilesystemIterator::SKIP_DOTS | FilesystemIterator::CURRENT_AS_PATHNAME));
        $found = iterator_to_array(new RegexIterator($below, '/\.php$/'), false);
        sort($found);
        return $found;
    }
    return str_ends_with($path, '.list') ? file($path, FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) : [$path];
}

(function () {
    $told = fn (string $what) => error_log("PHP_WARM: $what");
    $done = $failed = 0;
    foreach (explode(':', getenv('PHP_WARM')) as $name) {
        $paths = glob($name) ?: [];
        $paths || $told("there is no $name");
        foreach ($paths as $path) {
            foreach (scripts_of($path) as $script) {
                @opcache_compile_file($script) ? $done++ : $failed++;
            }
        }
    }
    $status = opcache_get_status(false);
    if ($status['cache_full'] || $status['memory_usage']['free_memory'] < 65536) {
        $told('not all scripts fit: raise opcache.memory_consumption, now ' . ini_get('opcache.memory_consumption') . ' (MB)');
    }
    if ($failed) {
        $told("$failed scripts do not compile, $done do");
    }
})();
