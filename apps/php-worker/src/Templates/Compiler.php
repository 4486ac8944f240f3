<?php

declare(strict_types=1);

namespace Minerals\Templates;

use LogicException;

/**
 * Makes PHP of a template: {{ value.property }}, {{ value|raw }}, {% if value %} … {% else %} … {% end %} and
 * {% for name in value %} … {% end %}. Values are escaped unless they are raw.
 */
final class Compiler
{
    private const string PATH = '([a-z]\w*(?:\.\w+)*)';

    /** @return string the body of a function whose values are in $v */
    public function compile(string $template): string
    {
        $pieces = preg_split('/(\{\{.*?\}\}|\{%.*?%\})/', $template, -1, PREG_SPLIT_DELIM_CAPTURE | PREG_SPLIT_NO_EMPTY);
        return implode("\n", array_map($this->piece(...), $pieces));
    }

    private function piece(string $piece): string
    {
        $inside = trim($piece, '{}% ');
        return match (true) {
            str_starts_with($piece, '{{') => $this->output($inside),
            str_starts_with($piece, '{%') => $this->statement($inside),
            default => 'echo ' . var_export($piece, true) . ';',
        };
    }

    private function output(string $expression): string
    {
        if (str_ends_with($expression, '|raw')) {
            return 'echo ' . $this->value(substr($expression, 0, -strlen('|raw'))) . ';';
        }
        return 'echo htmlspecialchars((string) ' . $this->value($expression) . ');';
    }

    private function statement(string $statement): string
    {
        return match (1) {
            preg_match('/^if ' . self::PATH . '$/', $statement, $parts) => "if ({$this->value($parts[1])}) {",
            preg_match('/^for (\w+) in ' . self::PATH . '$/', $statement, $parts) => "foreach ({$this->value($parts[2])} as \$v['$parts[1]']) {",
            preg_match('/^else$/', $statement) => '} else {',
            preg_match('/^end$/', $statement) => '}',
            default => throw new LogicException("a template says {% $statement %}"),
        };
    }

    private function value(string $path): string
    {
        if (!preg_match('/^' . self::PATH . '$/', $path)) {
            throw new LogicException("a template says {{ $path }}");
        }
        $names = explode('.', $path);
        $first = array_shift($names);
        return "\$v['$first']" . implode('', array_map(static fn (string $name): string => "->$name", $names));
    }
}
