<?php

declare(strict_types=1);

namespace Minerals\Controllers;

use Minerals\Catalogue\Catalogue;
use Minerals\Catalogue\Mineral;
use Minerals\Catalogue\SearchIndex;
use Minerals\Http\Request;
use Minerals\Http\Response;
use Minerals\Pages;
use Minerals\Routing\Route;

final readonly class Search
{
    private const float TOLERANCE = 0.5;

    public function __construct(private Pages $pages, private Catalogue $catalogue, private SearchIndex $index)
    {
    }

    #[Route('/search')]
    public function search(Request $request): Response
    {
        $question = $request->query('q');
        return $this->pages->page($request, 'search', 'Search', ['question' => $question, 'minerals' => $this->index->find($question)]);
    }

    #[Route('/identify')]
    public function ask(Request $request): Response
    {
        return $this->pages->page($request, 'identify', 'Which one is it?', ['colours' => $this->catalogue->colours(), 'asked' => false]);
    }

    #[Route('/identify', 'POST')]
    public function identify(Request $request): Response
    {
        $hardness = (float) $request->form('hardness');
        $colour = $request->form('colour');
        return $this->pages->page($request, 'identify', 'Which one is it?', [
            'colours' => $this->catalogue->colours(),
            'asked' => true,
            'minerals' => $this->catalogue->where(static fn (Mineral $mineral): bool
                => abs($mineral->hardness - $hardness) <= self::TOLERANCE && in_array($colour, $mineral->colours, true)),
        ]);
    }
}
