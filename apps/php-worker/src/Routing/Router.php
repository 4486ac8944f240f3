<?php

declare(strict_types=1);

namespace Minerals\Routing;

use Minerals\Http\HttpError;
use Minerals\Http\Request;
use ReflectionClass;

/** Finds the method of a controller that answers a request. */
final class Router
{
    /** @var list<array{Route, string, class-string, string}> route, pattern, class, method */
    private array $routes = [];

    /** @param class-string $controller */
    public function add(string $controller): void
    {
        foreach (new ReflectionClass($controller)->getMethods() as $method) {
            foreach ($method->getAttributes(Route::class) as $attribute) {
                $route = $attribute->newInstance();
                $this->routes[] = [$route, $route->pattern(), $controller, $method->getName()];
            }
        }
    }

    /** @return array{class-string, string, array<string, string>} */
    public function match(Request $request): array
    {
        $asked = $request->method === 'HEAD' ? 'GET' : $request->method;
        $allowed = [];
        foreach ($this->routes as [$route, $pattern, $controller, $method]) {
            if (!preg_match($pattern, $request->path, $parts)) {
                continue;
            }
            if ($route->method === $asked) {
                return [$controller, $method, array_filter($parts, is_string(...), ARRAY_FILTER_USE_KEY)];
            }
            $allowed[] = $route->method;
        }
        throw $allowed ? HttpError::methodNotAllowed($allowed) : HttpError::notFound('such page');
    }

    /** @return list<class-string> */
    public function controllers(): array
    {
        return array_values(array_unique(array_column($this->routes, 2)));
    }

    /** @return list<object{method: string, path: string, answers: string}> */
    public function table(): array
    {
        return array_map(static fn (array $entry): object => (object) [
            'method' => $entry[0]->method,
            'path' => $entry[0]->path,
            'answers' => new ReflectionClass($entry[2])->getShortName() . '::' . $entry[3],
        ], $this->routes);
    }
}
