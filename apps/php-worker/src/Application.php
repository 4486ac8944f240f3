<?php

declare(strict_types=1);

namespace Minerals;

use Minerals\Http\HttpError;
use Minerals\Http\Request;
use Minerals\Http\Response;
use Minerals\Routing\Router;

/** Container, routes, templates and catalogue, made once by boot(); then it answers requests. */
final readonly class Application
{
    public function __construct(private Container $container, private Costs $costs, private Router $router, private Pages $pages)
    {
    }

    public static function boot(): self
    {
        $began = microtime(true);
        $application = new Container()->get(self::class);
        foreach (glob(__DIR__ . '/Controllers/*.php') as $file) {
            $application->router->add('Minerals\\Controllers\\' . basename($file, '.php'));
        }
        $application->costs->booted($began);
        return $application;
    }

    /** For those who boot long before the request: what would otherwise be made where a page needs it. */
    public function prepare(): void
    {
        $began = microtime(true);
        array_map($this->container->get(...), $this->router->controllers());
        $this->handle(new Request('GET', '/rehearsal', '/'));
        $this->costs->booted($began);
    }

    /** Answers the request that is being served. */
    public function answer(): void
    {
        $this->handle(Request::current())->send();
    }

    public function handle(Request $request): Response
    {
        try {
            [$controller, $method, $arguments] = $this->router->match($request);
            return $this->container->get($controller)->$method($request, ...$arguments);
        } catch (HttpError $error) {
            return $this->pages->page($request, 'error', $error->getMessage(), status: $error->status, headers: $error->headers);
        }
    }
}
