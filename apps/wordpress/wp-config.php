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

// Behind a proxy, visitors find the site where PUBLIC_URL says. Otherwise it lives where the visitor found it, on any port.
$public = (string) getenv('PUBLIC_URL');
if ($public !== '') {
    [$scheme, $_SERVER['HTTP_HOST']] = explode('://', $public);
    $_SERVER['HTTPS'] = $scheme === 'https' ? 'on' : 'off';
}
$scheme = ($_SERVER['HTTPS'] ?? '') === 'on' ? 'https' : 'http';
$host = $_SERVER['HTTP_HOST'] ?? '';
if (!preg_match('/^[a-z0-9.-]+(:[0-9]+)?$|^\[[0-9a-f:.]+\](:[0-9]+)?$/i', $host)) {
    $host = 'localhost';
}
define('WP_HOME', "$scheme://$host/wordpress");
define('WP_SITEURL', WP_HOME);
unset($public, $scheme, $host);

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
