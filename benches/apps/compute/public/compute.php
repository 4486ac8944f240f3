<?php
// Some of each kind of work that pages do besides waiting: whole numbers, fractions, strings, arrays, calls.

function primes(int $limit): int
{
    $composite = [];
    $count = 0;
    for ($number = 2; $number < $limit; $number++) {
        if (isset($composite[$number])) {
            continue;
        }
        $count++;
        for ($multiple = $number * $number; $multiple < $limit; $multiple += $number) {
            $composite[$multiple] = true;
        }
    }
    return $count;
}

function mandelbrot(int $size, int $limit): int
{
    $inside = 0;
    for ($row = 0; $row < $size; $row++) {
        for ($column = 0; $column < $size; $column++) {
            $re = $im = 0.0;
            $c_re = 3.0 * $column / $size - 2.0;
            $c_im = 2.0 * $row / $size - 1.0;
            for ($step = 0; $step < $limit && $re * $re + $im * $im < 4.0; $step++) {
                [$re, $im] = [$re * $re - $im * $im + $c_re, 2.0 * $re * $im + $c_im];
            }
            $inside += $step === $limit ? 1 : 0;
        }
    }
    return $inside;
}

function words(int $count): string
{
    $seen = [];
    for ($number = 0; $number < $count; $number++) {
        $word = strtoupper(substr(md5((string) $number), 0, 3));
        $seen[$word] = ($seen[$word] ?? 0) + 1;
    }
    arsort($seen);
    ksort($seen);
    return md5(implode(',', array_keys($seen)) . array_sum($seen));
}

function fibonacci(int $number): int
{
    return $number < 2 ? $number : fibonacci($number - 1) + fibonacci($number - 2);
}

header('Content-Type: text/plain');
printf("computed: %d %d %s %d\n", primes(40000), mandelbrot(60, 60), words(20000), fibonacci(19));
