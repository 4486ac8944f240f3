<?php

declare(strict_types=1);

namespace Minerals\Http;

use Exception;

final class HttpError extends Exception
{
    /** @param array<string, string> $headers */
    private function __construct(public readonly int $status, string $message, public readonly array $headers = [])
    {
        parent::__construct($message);
    }

    public static function notFound(string $what): self
    {
        return new self(404, "There is no $what");
    }

    /** @param list<string> $allowed */
    public static function methodNotAllowed(array $allowed): self
    {
        return new self(405, 'This page is asked for in another way', ['Allow' => implode(', ', $allowed)]);
    }
}
