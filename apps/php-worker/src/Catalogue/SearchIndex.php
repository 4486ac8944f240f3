<?php

declare(strict_types=1);

namespace Minerals\Catalogue;

/** Which word stands in which mineral's entry. */
final class SearchIndex
{
    /** @var array<string, array<string, int>> times by slug, by word */
    private array $times = [];

    public function __construct(private readonly Catalogue $catalogue)
    {
        foreach ($catalogue->minerals as $slug => $mineral) {
            foreach (self::words("$mineral->name $mineral->class $mineral->text") as $word) {
                $this->times[$word][$slug] = ($this->times[$word][$slug] ?? 0) + 1;
            }
        }
        ksort($this->times);
    }

    /** @return list<Mineral> those with all words, or beginnings of words; the best first */
    public function find(string $question): array
    {
        $found = null;
        foreach (self::words($question) as $word) {
            $scores = $this->scores($word);
            $found = $found === null ? $scores : array_intersect_key($found, $scores);
        }
        $found ??= [];
        arsort($found);
        return array_map($this->catalogue->find(...), array_keys($found));
    }

    /** @return array<string, int> by slug */
    private function scores(string $beginning): array
    {
        $scores = [];
        foreach ($this->times as $word => $slugs) {
            if (!str_starts_with((string) $word, $beginning)) {
                continue;
            }
            foreach ($slugs as $slug => $times) {
                $scores[$slug] = ($scores[$slug] ?? 0) + $times;
            }
        }
        return $scores;
    }

    /** @return list<string> */
    private static function words(string $text): array
    {
        return preg_split('/[^\p{L}\d]+/u', mb_strtolower($text), -1, PREG_SPLIT_NO_EMPTY) ?: [];
    }
}
