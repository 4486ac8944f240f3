<?php

declare(strict_types=1);

namespace Minerals\Catalogue;

final readonly class Mineral
{
    public string $slug;

    /** @param list<string> $colours */
    public function __construct(
        public string $name,
        public string $formula,
        public string $class,
        public float $hardness,
        public array $colours,
        public string $streak,
        public string $text,
    ) {
        $this->slug = strtolower($name);
    }

    /** @param array{string, string, string, string, string, string, string} $fields a line of the table */
    public static function fromLine(array $fields): self
    {
        [$name, $formula, $class, $hardness, $colours, $streak, $text] = $fields;
        return new self($name, $formula, $class, (float) $hardness, explode(', ', $colours), $streak, $text);
    }
}
