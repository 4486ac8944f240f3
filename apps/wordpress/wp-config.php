<?php
// Configuration of the WordPress demo. The secret keys are the site's own: made at its first start, mounted read-only.
require '/keys/keys.php';

// SQLite needs none of these, WordPress wants to see them.
define('DB_NAME', 'wordpress');
define('DB_USER', '');
define('DB_PASSWORD', '');
define('DB_HOST', '');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

// The demo runs on any port: the site lives where the visitor found it.
$host = $_SERVER['HTTP_HOST'] ?? '';
if (!preg_match('/^[a-z0-9.-]+(:[0-9]+)?$|^\[[0-9a-f:.]+\](:[0-9]+)?$/i', $host)) {
    $host = 'localhost';
}
define('WP_HOME', "http://$host/wordpress");
define('WP_SITEURL', WP_HOME);
unset($host);

// The sandbox has no network and a read-only tree: nothing is looked up, updated or installed.
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISALLOW_FILE_MODS', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);
define('FS_METHOD', 'direct');
define('WP_TEMP_DIR', '/tmp');

define('WP_DEBUG', false);

if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
