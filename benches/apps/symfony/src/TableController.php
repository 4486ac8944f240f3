<?php

declare(strict_types=1);

namespace Bench;

use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Twig\Environment;

final class TableController
{
    public function __construct(private Environment $twig)
    {
    }

    public function __invoke(Request $request, int $rows): Response
    {
        $table = array_map(fn (int $row) => ['number' => $row, 'name' => "Row $row", 'square' => $row * $row], range(1, $rows));
        return new Response($this->twig->render('table.html.twig', ['rows' => $table, 'path' => $request->getPathInfo()]));
    }
}
