<?php
// The endpoint in plain PHP under PHP-FPM and nginx. Refuses the whole request; keeps numbers in SQLite.
declare(strict_types=1);

const RFC3339 = '/^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/D';

function answer(int $status, array $body): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($body, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    exit;
}

function refused(string $description): never
{
    answer(400, ['resultType' => 'REQUEST_REJECTED', 'errorCode' => 'O001', 'errorDescription' => $description]);
}

function is_text(mixed $value, ?int $longest = null): bool
{
    return is_string($value) && ($longest === null || mb_strlen($value, 'UTF-8') <= $longest);
}

function is_amount(mixed $value): bool
{
    return is_int($value) || (is_float($value) && is_finite($value));
}

function is_instant(mixed $value): bool
{
    return is_string($value) && preg_match(RFC3339, $value, $part) === 1
        && checkdate((int) $part[2], (int) $part[3], (int) $part[1]);
}

function validate(mixed $item): void
{
    $mandatory = [
        'communicationNumber' => fn ($v) => is_text($v, 255) && $v !== '',
        'requester' => fn ($v) => is_text($v, 100),
        'accountExtId' => fn ($v) => is_text($v),
        'balanceAt' => fn ($v) => is_instant($v),
        'value' => fn ($v) => is_amount($v),
    ];
    $optional = [
        'equivalentValue' => fn ($v) => is_amount($v),
        'balanceType' => fn ($v) => is_text($v),
        'businessUnit' => fn ($v) => is_text($v),
    ];
    if (!$item instanceof stdClass) {
        refused('an item must be an object');
    }
    foreach ($mandatory as $name => $fits) {
        if (!isset($item->$name)) {
            refused("$name is mandatory");
        }
        if (!$fits($item->$name)) {
            refused("$name is incorrect");
        }
    }
    foreach ($optional as $name => $fits) {
        if (isset($item->$name) && !$fits($item->$name)) {
            refused("$name is incorrect");
        }
    }
}

$began = hrtime(true);
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/amlyze-ws-rest/batch-account-balances') {
    answer(404, ['timestamp' => date(DATE_ATOM), 'status' => 404, 'error' => 'Not Found']);
}
$given = preg_match('/^Bearer +(\S+) *$/iD', $_SERVER['HTTP_AUTHORIZATION'] ?? '', $found) ? $found[1] : '';
if (!hash_equals(getenv('BATCHPROOF_TOKEN'), $given)) {
    header('WWW-Authenticate: Bearer');
    answer(401, ['error' => ['code' => 'unauthorized']]);
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    header('Allow: POST');
    answer(405, ['status' => 405, 'error' => 'Method Not Allowed']);
}
try {
    $batch = json_decode(file_get_contents('php://input'), false, 512, JSON_THROW_ON_ERROR);
} catch (JsonException $problem) {
    refused($problem->getMessage());
}
if (!$batch instanceof stdClass || !is_array($batch->accountBalances ?? null)) {
    refused('accountBalances is mandatory');
}
array_walk($batch->accountBalances, validate(...));

// A batch is one transaction that takes the write lock at once: two of them cannot wait for each other.
$database = new PDO('sqlite:' . getenv('SCRATCH') . '/fpm/numbers.sqlite', null, null, [PDO::ATTR_TIMEOUT => 30]);
$database->exec('BEGIN IMMEDIATE');
$insert = $database->prepare('INSERT OR IGNORE INTO balances (communication_number) VALUES (?)');
$results = [];
foreach ($batch->accountBalances as $item) {
    $insert->execute([$item->communicationNumber]);
    $result = ['resultType' => 'REQUEST_ACCEPTED', 'communicationNumber' => $item->communicationNumber, 'accountExtId' => $item->accountExtId];
    if (isset($item->businessUnit)) {
        $result['businessUnit'] = $item->businessUnit;
    }
    if ($insert->rowCount() === 0) {
        $result['resultType'] = 'REQUEST_REJECTED';
        $result['errorCode'] = 'O005';
        $result['errorDescription'] = 'CommunicationNumber already used in AMLYZE';
    }
    $results[] = $result + ['timeElapsedMs' => 0];
}
$database->exec('COMMIT');
answer(200, ['results' => $results, 'timeElapsedMs' => intdiv(hrtime(true) - $began, 1_000_000)]);
