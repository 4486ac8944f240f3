<?php

declare(strict_types=1);

namespace Minerals\Controllers;

use Minerals\Catalogue\Catalogue;
use Minerals\Catalogue\Mineral;
use Minerals\Http\HttpError;
use Minerals\Http\Request;
use Minerals\Http\Response;
use Minerals\Pages;
use Minerals\Routing\Route;

final readonly class Minerals
{
    public function __construct(private Pages $pages, private Catalogue $catalogue)
    {
    }

    #[Route('/minerals')]
    public function all(Request $request): Response
    {
        return $this->list($request, 'All minerals', static fn (): bool => true);
    }

    #[Route('/minerals/{slug}')]
    public function one(Request $request, string $slug): Response
    {
        $mineral = $this->find($slug);
        return $this->pages->page($request, 'mineral', $mineral->name, [
            'mineral' => $mineral,
            'softer' => $this->catalogue->where(static fn (Mineral $other): bool => $other->hardness < $mineral->hardness && $other->class === $mineral->class),
            'relatives' => $this->catalogue->where(static fn (Mineral $other): bool => $other !== $mineral && $other->class === $mineral->class),
        ]);
    }

    #[Route('/minerals/{slug}/scratches/{other}')]
    public function scratches(Request $request, string $slug, string $other): Response
    {
        [$one, $two] = [$this->find($slug), $this->find($other)];
        $verdict = match ($one->hardness <=> $two->hardness) {
            1 => "$one->name scratches $two->name",
            -1 => "$one->name does not scratch $two->name",
            0 => "$one->name and $two->name are equally hard",
        };
        return $this->list($request, $verdict, static fn (Mineral $mineral): bool => $mineral === $one || $mineral === $two);
    }

    #[Route('/classes/{class}')]
    public function ofClass(Request $request, string $class): Response
    {
        return $this->list($request, $class, static fn (Mineral $mineral): bool => $mineral->class === $class);
    }

    #[Route('/colours/{colour}')]
    public function ofColour(Request $request, string $colour): Response
    {
        return $this->list($request, ucfirst($colour) . ' ones', static fn (Mineral $mineral): bool => in_array($colour, $mineral->colours, true));
    }

    #[Route('/hardness/{degree}')]
    public function ofHardness(Request $request, string $degree): Response
    {
        return $this->list($request, "Hardness $degree", static fn (Mineral $mineral): bool => (string) floor($mineral->hardness) === $degree);
    }

    private function find(string $slug): Mineral
    {
        return $this->catalogue->find($slug) ?? throw HttpError::notFound('such mineral');
    }

    private function list(Request $request, string $title, callable $holds): Response
    {
        $minerals = $this->catalogue->where($holds) ?: throw HttpError::notFound('mineral of that kind');
        return $this->pages->page($request, 'list', $title, ['minerals' => $minerals]);
    }
}
