<?php
/**
 * Plugin Name: SQLite in the sandbox
 * Description: Opens the database for the SQLite plugin, and gets past the locks that dead requests leave.
 */

if (!defined('ABSPATH')) {
    exit;
}

/**
 * PHP built for WASI keeps a statement alive after its object has gone, and an unfinished one keeps the database locked:
 * so each statement ends itself. It also knows what to do about a volume that takes nothing more.
 */
final class Sandbox_Statement extends PDOStatement
{
    // SQLite's codes for a medium that fails: SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN.
    private const CANNOT_WRITE = [8, 10, 13, 14];

    private static bool $reported = false;

    protected function __construct()
    {
    }

    public function __destruct()
    {
        $this->closeCursor();
    }

    public function execute(?array $params = null): bool
    {
        try {
            return parent::execute($params);
        } catch (PDOException $error) {
            if (self::$reported && $this->queryString === 'ROLLBACK') {
                return true; // Then SQLite has rolled back by itself, and has no transaction any more.
            }
            if (in_array($error->errorInfo[1] ?? 0, self::CANNOT_WRITE, true)) {
                $this->report($error->errorInfo[2]);
            }
            throw $error;
        }
    }

    /** Reading goes on without what was to be stored. Whoever sends something has to know that it is lost. */
    private function report(string $cause): void
    {
        if (self::$reported) {
            return;
        }
        self::$reported = true;
        sandbox_log_failure($cause);
        if (!in_array($_SERVER['REQUEST_METHOD'], ['GET', 'HEAD'], true)) {
            wp_die(
                'This could not be saved: the site has no room left, or cannot write. Whoever runs it finds the cause in its error log.',
                'Not saved',
                ['response' => 507, 'back_link' => true]
            );
        }
    }
}

function sandbox_log_failure(string $cause): void
{
    error_log("WordPress demo: the data cannot be written, its volume may be full: SQLite says \"$cause\"");
}

/**
 * SQLite's lock in WASI: a directory beside the database, there as long as somebody reads or writes. A request that is
 * killed leaves it behind. No request outlives its time limit, so an older lock has no owner.
 */
final class Sandbox_Lock
{
    /** Seconds on top of the time limit: clocks and busy machines. */
    private const MARGIN = 5;

    public function __construct(private string $database, private int $limit)
    {
    }

    public function release_if_stale(): void
    {
        $found = $this->look();
        $period = intdiv(max($found['age'] ?? 0, 0), $this->limit + self::MARGIN);
        if ($period % 2 === 0) {
            return;
        }
        // One request at most may release a given lock, or a late one would take away its successor: this folder is the
        // permission. Should its owner die as well, the next one is given out after an idle period, by whose end the
        // owner has met its own time limit.
        $permission = "$this->database.turn-{$found['id']}-$period";
        if (!@mkdir($permission, 0700)) {
            return;
        }
        if (($this->look()['id'] ?? '') === $found['id']) {
            $this->release();
            error_log("WordPress demo: a request died with the database locked; its lock was released after {$found['age']} s");
        }
        rmdir($permission);
    }

    private function path(): string
    {
        return "$this->database.lock";
    }

    private function look(): ?array
    {
        clearstatcache();
        $stat = @stat($this->path());
        return $stat ? ['id' => "{$stat['ino']}-{$stat['mtime']}", 'age' => time() - $stat['mtime']] : null;
    }

    /** Under the lock of the dead: nobody sees the database before what they left half done is undone. */
    private function release(): void
    {
        $this->roll_back();
        $grave = "$this->database.stale-" . bin2hex(random_bytes(8));
        rename($this->path(), $grave);
        rmdir($grave);
    }

    /**
     * SQLite undoes an unfinished transaction when nobody has the database locked. This kind of lock cannot tell its own
     * from that of others, so SQLite never gets round to it, unless it is told not to lock at all.
     */
    private function roll_back(): void
    {
        $alone = new PDO("sqlite:file:$this->database?vfs=unix-none", null, null, [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_STATEMENT_CLASS => [Sandbox_Statement::class],
        ]);
        $alone->query('SELECT count(*) FROM sqlite_master')->fetchAll();
    }
}

/**
 * Opens the database as soon as it is free. Somebody else's lock may turn out to be stale while this request waits.
 */
function sandbox_open_database(string $database): ?PDO
{
    $lock = new Sandbox_Lock($database, (int) getenv('WORDPRESS_TIMEOUT'));
    $pdo = new PDO("sqlite:$database", null, null, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_TIMEOUT => 5,
        PDO::ATTR_STATEMENT_CLASS => [Sandbox_Statement::class],
    ]);
    for ($attempt = 0; $attempt < 8; $attempt++) {
        $lock->release_if_stale();
        try {
            $pdo->query('SELECT count(*) FROM sqlite_master')->fetchAll();
            $pdo->setAttribute(PDO::ATTR_TIMEOUT, 30);
            return $pdo;
        } catch (PDOException $error) {
            if (($error->errorInfo[1] ?? 0) !== 5) { // SQLITE_BUSY
                throw $error;
            }
        }
    }
    return null;
}

function sandbox_unavailable(string $sentence): never
{
    header('Retry-After: 5', true, 503);
    exit($sentence);
}

define('SQLITE_DB_DROPIN_VERSION', '1.8.0');
define('DB_ENGINE', 'sqlite');
define('FQDBDIR', WP_CONTENT_DIR . '/database/');
define('FQDB', FQDBDIR . '.ht.sqlite');

// The plugin takes the connection that it finds here.
try {
    $GLOBALS['@pdo'] = sandbox_open_database(FQDB);
} catch (PDOException $error) {
    sandbox_log_failure($error->getMessage());
    sandbox_unavailable('The database cannot be used. Whoever runs the site finds the cause in its error log.');
}
if (!$GLOBALS['@pdo']) {
    sandbox_unavailable('The database is busy. Please try again.');
}

require_once WP_CONTENT_DIR . '/plugins/sqlite-database-integration/wp-includes/sqlite/db.php';
