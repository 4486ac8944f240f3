<?php

declare(strict_types=1);

namespace Minerals;

use ReflectionClass;
use ReflectionParameter;

/** Makes each class once, with the objects that its constructor asks for by their types. */
final class Container
{
    /** @var array<class-string, object> */
    private array $made = [];

    public function __construct()
    {
        $this->made[self::class] = $this;
    }

    /**
     * @template T of object
     * @param class-string<T> $class
     * @return T
     */
    public function get(string $class): object
    {
        return $this->made[$class] ??= $this->make($class);
    }

    /** @return list<class-string> */
    public function classes(): array
    {
        return array_keys($this->made);
    }

    private function make(string $class): object
    {
        $reflection = new ReflectionClass($class);
        $parameters = $reflection->getConstructor()?->getParameters() ?? [];
        return $reflection->newInstanceArgs(array_map(fn (ReflectionParameter $parameter): object => $this->get($parameter->getType()->getName()), $parameters));
    }
}
