<?php

declare(strict_types=1);

namespace Minerals\Http;

final readonly class Response
{
    /** @param array<string, string> $headers */
    public function __construct(private string $body, private int $status, private array $headers)
    {
    }

    /** @param array<string, string> $headers */
    public static function html(string $body, int $status = 200, array $headers = []): self
    {
        return new self($body, $status, $headers + ['Content-Type' => 'text/html; charset=utf-8']);
    }

    public static function json(mixed $value): self
    {
        return new self(json_encode($value, JSON_THROW_ON_ERROR) . "\n", 200, ['Content-Type' => 'application/json']);
    }

    public static function redirect(string $address): self
    {
        return new self('', 303, ['Location' => $address]);
    }

    public function send(): void
    {
        http_response_code($this->status);
        foreach ($this->headers as $name => $value) {
            header("$name: $value");
        }
        echo $this->body;
    }
}
