<?php

declare(strict_types=1);

namespace Minerals\Catalogue;

/** All minerals, from the table in data/. */
final readonly class Catalogue
{
    private const string TABLE = __DIR__ . '/../../data/minerals.tsv';

    /** @var array<string, Mineral> by slug */
    public array $minerals;

    public function __construct()
    {
        $minerals = [];
        foreach (file(self::TABLE, FILE_IGNORE_NEW_LINES) as $line) {
            $mineral = Mineral::fromLine(explode("\t", $line));
            $minerals[$mineral->slug] = $mineral;
        }
        ksort($minerals);
        $this->minerals = $minerals;
    }

    public function find(string $slug): ?Mineral
    {
        return $this->minerals[$slug] ?? null;
    }

    /** @return list<Mineral> */
    public function where(callable $holds): array
    {
        return array_values(array_filter($this->minerals, $holds));
    }

    /** @return list<string> */
    public function classes(): array
    {
        return self::sorted(array_column($this->minerals, 'class'));
    }

    /** @return list<string> */
    public function colours(): array
    {
        return self::sorted(array_merge(...array_values(array_column($this->minerals, 'colours'))));
    }

    private static function sorted(array $words): array
    {
        $words = array_unique($words);
        sort($words);
        return $words;
    }
}
