<?php

declare(strict_types=1);

namespace Minerals;

use Minerals\Http\Request;
use Minerals\Http\Response;
use Minerals\Templates\Engine;

/** A template inside of the layout, with what the page cost. */
final readonly class Pages
{
    public function __construct(private Engine $engine, private Costs $costs)
    {
    }

    /**
     * @param array<string, mixed> $values
     * @param array<string, string> $headers
     */
    public function page(Request $request, string $template, string $title, array $values = [], int $status = 200, array $headers = []): Response
    {
        $values += ['title' => $title, 'base' => $request->base];
        $content = $this->engine->render($template, $values);
        $costs = $this->costs->now();
        return Response::html($this->engine->render('layout', $values + [
            'content' => $content,
            'costs' => (object) $costs,
            'worker' => $costs['booted'] === 'before',
            'other' => self::elsewhere($request),
        ]), $status, $headers);
    }

    /** The same page of the other section. */
    private static function elsewhere(Request $request): string
    {
        return dirname($request->base) . (basename($request->base) === 'worker' ? '/classic' : '/worker') . $request->path;
    }
}
