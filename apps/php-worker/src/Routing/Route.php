<?php

declare(strict_types=1);

namespace Minerals\Routing;

use Attribute;

/** The address of a controller's method: {name} stands for a part, which becomes an argument. */
#[Attribute(Attribute::TARGET_METHOD)]
final readonly class Route
{
    public function __construct(public string $path, public string $method = 'GET')
    {
    }

    public function pattern(): string
    {
        return '#^' . preg_replace('/\{(\w+)\}/', '(?<$1>[^/]+)', $this->path) . '$#D';
    }
}
