<?php

declare(strict_types=1);

namespace Minerals\Controllers;

use Minerals\Http\Request;
use Minerals\Http\Response;
use Minerals\Pages;
use Minerals\Routing\Route;

/** Leaves behind, on purpose, what a process that serves many requests would keep. */
final class Leak
{
    private static int $ofClass = 0;
    private int $ofService = 0;

    public function __construct(private readonly Pages $pages)
    {
    }

    #[Route('/leak')]
    public function leak(Request $request): Response
    {
        static $ofFunction = 0;
        $found = [
            'a static variable of a function' => $ofFunction++,
            'a static property of a class' => self::$ofClass++,
            'a property of a service of the container' => $this->ofService++,
            'a global variable' => $GLOBALS['left_behind'] ?? 0,
            'a setting of php.ini, by ini_set()' => (int) (ini_get('user_agent') ?: 0),
            'a variable of the environment, by putenv()' => (int) (getenv('LEFT_BEHIND') ?: 0),
        ];
        $GLOBALS['left_behind'] = ($GLOBALS['left_behind'] ?? 0) + 1;
        ini_set('user_agent', (string) ((int) ini_get('user_agent') + 1));
        putenv('LEFT_BEHIND=' . ((int) getenv('LEFT_BEHIND') + 1));
        return $this->pages->page($request, 'leak', 'A leak, on purpose', [
            'places' => array_map(static fn (string $place, int $times): object => (object) ['name' => $place, 'times' => $times], array_keys($found), $found),
        ]);
    }
}
