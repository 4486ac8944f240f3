<?php

declare(strict_types=1);

namespace Minerals\Http;

final readonly class Request
{
    /**
     * @param string $base the address of the application, without the slash
     * @param string $path what follows it, with the slash
     * @param array<string, mixed> $query
     * @param array<string, mixed> $form
     */
    public function __construct(
        public string $method,
        public string $base,
        public string $path,
        private array $query = [],
        private array $form = [],
    ) {
    }

    public static function current(): self
    {
        $base = dirname($_SERVER['SCRIPT_NAME']);
        $path = rawurldecode(explode('?', $_SERVER['REQUEST_URI'], 2)[0]);
        return new self($_SERVER['REQUEST_METHOD'], $base, substr($path, strlen($base)) ?: '/', $_GET, $_POST);
    }

    public function query(string $name): string
    {
        return self::text($this->query, $name);
    }

    public function form(string $name): string
    {
        return self::text($this->form, $name);
    }

    private static function text(array $values, string $name): string
    {
        $value = $values[$name] ?? '';
        return is_string($value) ? trim($value) : '';
    }
}
