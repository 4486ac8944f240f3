<?php

declare(strict_types=1);

namespace Minerals;

/** What a request has cost so far, and what was done before it. */
final class Costs
{
    private float $boot = 0.0;
    private float $bootEnded = 0.0;

    /** A part of the boot has just ended. */
    public function booted(float $began): void
    {
        $this->bootEnded = microtime(true);
        $this->boot += $this->bootEnded - $began;
    }

    /** @return array{request_ms: float, boot_ms: float, booted: string, memory_kb: int, files: int} */
    public function now(): array
    {
        $requestBegan = $_SERVER['REQUEST_TIME_FLOAT'];
        return [
            'request_ms' => round((microtime(true) - $requestBegan) * 1000, 2),
            'boot_ms' => round($this->boot * 1000, 2),
            'booted' => $this->bootEnded < $requestBegan ? 'before' : 'during',
            'memory_kb' => intdiv(memory_get_peak_usage(), 1024),
            'files' => count(get_included_files()),
        ];
    }
}
