<?php

declare(strict_types=1);

namespace Minerals\Templates;

use Closure;

/** All templates of the folder, compiled when it is made. */
final class Engine
{
    private const string FOLDER = __DIR__ . '/../../templates';

    /** @var array<string, Closure(array<string, mixed>): void> */
    private array $templates = [];

    public function __construct(Compiler $compiler)
    {
        foreach (glob(self::FOLDER . '/*.html') as $file) {
            $code = $compiler->compile(file_get_contents($file));
            $this->templates[basename($file, '.html')] = eval("return static function (array \$v): void {\n$code\n};");
        }
    }

    /** @param array<string, mixed> $values */
    public function render(string $template, array $values): string
    {
        ob_start();
        $this->templates[$template]($values);
        return ob_get_clean();
    }
}
