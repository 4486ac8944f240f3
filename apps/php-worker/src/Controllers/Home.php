<?php

declare(strict_types=1);

namespace Minerals\Controllers;

use Minerals\Catalogue\Catalogue;
use Minerals\Container;
use Minerals\Costs;
use Minerals\Http\Request;
use Minerals\Http\Response;
use Minerals\Pages;
use Minerals\Routing\Route;
use Minerals\Routing\Router;

final readonly class Home
{
    public function __construct(
        private Pages $pages,
        private Catalogue $catalogue,
        private Router $router,
        private Container $container,
        private Costs $costs,
    ) {
    }

    #[Route('/')]
    public function front(Request $request): Response
    {
        return $this->pages->page($request, 'front', 'Minerals', [
            'number' => count($this->catalogue->minerals),
            'classes' => $this->catalogue->classes(),
            'colours' => $this->catalogue->colours(),
            'today' => $this->catalogue->minerals[array_rand($this->catalogue->minerals)],
        ]);
    }

    #[Route('/inside')]
    public function inside(Request $request): Response
    {
        return $this->pages->page($request, 'inside', 'What it is made of', [
            'routes' => $this->router->table(),
            'services' => $this->container->classes(),
        ]);
    }

    #[Route('/costs')]
    public function costs(): Response
    {
        return Response::json($this->costs->now());
    }
}
