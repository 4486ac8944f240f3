<?php
/**
 * Plugin Name: WordPress in the sandbox
 * Description: What the demo changes: pretty permalinks from the start, no mail, no requests to other machines.
 */

if (!defined('ABSPATH')) {
    exit;
}

// Site Health asks MySQL for its version otherwise.
require_once WP_PLUGIN_DIR . '/sqlite-database-integration/health-check.php';

// WordPress gives an uploaded file the mode of its folder. The sandbox knows no modes, and PHP warns of each: no news here.
set_error_handler(static fn (int $level, string $message): bool => $message === 'chmod(): Not supported', E_WARNING);

// There is no program to send mail with: a message counts as sent.
add_filter('pre_wp_mail', '__return_true');

// Nor can the sandbox call itself.
add_filter('block_local_requests', '__return_true');

// Rewrite rules stand in httpd's configuration; there is no .htaccess to write them to.
add_filter('flush_rewrite_rules_hard', '__return_false');

// The installer would try permalinks out with such a call; httpd's configuration has what they need.
add_action('wp_install', static function () {
    update_option('permalink_structure', '/%year%/%monthnum%/%day%/%postname%/');
    // Avatars come from another server.
    update_option('show_avatars', '0');
    flush_rewrite_rules();
});

// `scripts/wordpress password` leaves the new password here, while it makes one request. Guests cannot write to this folder.
// WordPress knows passwords with the slashes that it adds to everything in a form.
add_action('init', static function () {
    $file = '/keys/new-password';
    if (!is_readable($file)) {
        return;
    }
    $admin = get_user_by('login', 'admin');
    if (!$admin) {
        error_log('WordPress demo: there is no user admin whose password could be changed');
        wp_die('There is no user admin.', '', ['response' => 500]);
    }
    wp_set_password(wp_slash(file_get_contents($file)), $admin->ID);
});
