<?php
/**
 * Plugin Name: SQLite in the sandbox
 * Description: Opens the database for the SQLite plugin, and says so where it cannot be used.
 */

if (!defined('ABSPATH')) {
    exit;
}

/**
 * The plugin puts each query into a transaction. One that reads first and then has to wait for another's change would deadlock, so SQLite
 * refuses it at once: a transaction that is going to change something waits where it begins.
 */
final class Sandbox_Connection extends PDO
{
    private const READS = '/^\s*(SELECT|SHOW|DESCRIBE|DESC|EXPLAIN)\b/i';

    public function prepare(string $query, array $options = []): PDOStatement|false
    {
        $asked = $GLOBALS['wpdb']->last_query ?? '';
        if ($query === 'BEGIN' && !preg_match(self::READS, $asked)) {
            $query = 'BEGIN IMMEDIATE';
        }
        return parent::prepare($query, $options);
    }
}

/** A statement that knows what to do about a volume that takes nothing more. */
final class Sandbox_Statement extends PDOStatement
{
    // SQLite's codes for a medium that fails: SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN.
    private const CANNOT_WRITE = [8, 10, 13, 14];

    private static bool $reported = false;

    protected function __construct()
    {
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

/** Waits for others' changes as long as a visitor may be asked to. */
function sandbox_open_database(string $database): PDO
{
    $pdo = new Sandbox_Connection("sqlite:$database", null, null, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_TIMEOUT => 30,
        PDO::ATTR_STATEMENT_CLASS => [Sandbox_Statement::class],
    ]);
    $pdo->query('SELECT count(*) FROM sqlite_master')->fetchAll();
    return $pdo;
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
    if (($error->errorInfo[1] ?? 0) === 5) { // SQLITE_BUSY
        sandbox_unavailable('The database is busy. Please try again.');
    }
    sandbox_log_failure($error->getMessage());
    sandbox_unavailable('The database cannot be used. Whoever runs the site finds the cause in its error log.');
}

require_once WP_CONTENT_DIR . '/plugins/sqlite-database-integration/wp-includes/sqlite/db.php';
