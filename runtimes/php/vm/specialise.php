<?php
// Loosens the operands of all handlers but the hot ones, so that zend_vm_gen.php makes one of each.
// Usage: php specialise.php zend_vm_def.h hot-handlers.txt > loosened
declare(strict_types=1);

const KINDS = ['CONST', 'TMP', 'VAR', 'TMPVAR', 'CV', 'TMPVARCV', 'UNUSED', 'THIS'];
const HANDLER = '/^ZEND_VM_(?:HOT_|COLD_|INLINE_|NOCONST_|NOCONSTCONST_|CONST_|CONSTCONST_|OBJ_|SEND_)*HANDLER\((.*)\)$/m';

// Names of handlers, without comments.
function hot_handlers(string $file): array
{
    $lines = preg_replace('/#.*/', '', file($file));
    return array_flip(preg_split('/\s+/', implode(' ', $lines), -1, PREG_SPLIT_NO_EMPTY));
}

// "CONST|TMPVAR|CV" becomes "ANY"; what says more than kinds of operands, or only one, stays.
function loosen(string $operand): string
{
    $kinds = explode('|', trim($operand));
    return count($kinds) > 1 && !array_diff($kinds, KINDS) ? ' ANY' : $operand;
}

// Fields of a handler: number, name, first operand, second operand, flags.
function loosen_handler(array $match, array $hot): string
{
    $fields = explode(',', $match[1]);
    if (count($fields) < 4 || isset($hot[trim($fields[1])])) {
        return $match[0];
    }
    $fields[2] = loosen($fields[2]);
    $fields[3] = loosen($fields[3]);
    $loosened = preg_replace('/OP_DATA=[A-Z|]+/', 'OP_DATA=ANY', implode(',', $fields));
    return str_replace($match[1], $loosened, $match[0]);
}

[, $definitions, $list] = $argv;
$hot = hot_handlers($list);
$known = preg_match_all(HANDLER, file_get_contents($definitions), $matches);
$names = array_map(fn (string $fields): string => trim(explode(',', $fields)[1]), $matches[1]);
if ($unknown = array_diff(array_keys($hot), $names)) {
    fwrite(STDERR, 'There is no handler ' . implode(', ', $unknown) . "\n");
    exit(1);
}
echo preg_replace_callback(HANDLER, fn (array $match): string => loosen_handler($match, $hot), file_get_contents($definitions));
