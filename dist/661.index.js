export const id = 661;
export const ids = [661];
export const modules = {

/***/ 62360:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   S: () => (/* binding */ loadRun),
/* harmony export */   v: () => (/* binding */ parsePointer)
/* harmony export */ });
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(51455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(71922);
/* harmony import */ var _state_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(24166);




/** The state in GITHUB_STATE; undefined where main saved none. @throws Error where it is damaged */
function parsePointer(text) {
    if (text === '')
        return undefined;
    const value = parseObject(text);
    const { phase, folder, captureIds, captureCount } = value;
    const hasIds = Array.isArray(captureIds) && captureIds.every((id) => typeof id === 'string' && /^[\w-]+$/.test(id));
    const isWhole = typeof phase === 'string' && typeof folder === 'string' && Number.isSafeInteger(captureCount);
    if (!hasIds || !isWhole) {
        throw new Error('the saved state of the step is damaged');
    }
    return value;
}
/** Reads the files that the pointer names. Never rejects: a file that is missing or damaged is a problem beside the others. */
async function loadRun({ phase, folder, captureIds, captureCount }) {
    const ids = captureCount > captureIds.length ? await idsIn(folder, captureIds) : captureIds;
    const captures = [];
    const problems = [];
    for (const captureId of ids) {
        try {
            captures.push(parseCapture(await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.readFile)((0,_state_js__WEBPACK_IMPORTED_MODULE_3__/* .statePath */ .BQ)(folder, captureId), 'utf8'), captureId));
        }
        catch (error) {
            problems.push(unreadable(folder, captureId, error));
        }
    }
    const missingCount = captureCount - captures.length - problems.length;
    if (missingCount > 0)
        problems.push(unreadable(folder, `(${missingCount} more)`, new Error('there is no such file')));
    return { phase, captures, problems };
}
async function idsIn(folder, known) {
    const names = await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.readdir)(folder).catch(() => []);
    const found = names.filter((name) => name.endsWith('.json')).map((name) => (0,node_path__WEBPACK_IMPORTED_MODULE_1__.basename)(name, '.json'));
    return [...new Set([...known, ...found])];
}
function parseCapture(text, captureId) {
    const value = parseObject(text);
    const record = (value['record'] ?? {});
    const isWhole = record['captureId'] === captureId &&
        ['path', 'partPath'].every((name) => typeof record[name] === 'string') &&
        ['target', 'method', 'plan'].every((name) => isObject(record[name])) &&
        Array.isArray(value['hints']);
    if (!isWhole)
        throw new Error('it is damaged');
    return value;
}
function parseObject(text) {
    const value = JSON.parse(text);
    if (!isObject(value))
        throw new Error('it is damaged');
    return value;
}
function isObject(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function unreadable(folder, captureId, error) {
    return {
        code: 'E_STATE_UNREADABLE',
        input: 'RUNNER_TEMP',
        problem: `the saved state of the capture ${captureId} in ${folder} cannot be read (${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_2__/* .messageOf */ .bD)(error)}), so it cannot be finished`,
        fix: 'Its recorder ends by itself. Keep the files in RUNNER_TEMP until the job has ended.',
    };
}


/***/ }),

/***/ 86661:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   post: () => (/* binding */ post)
/* harmony export */ });
/* harmony import */ var _app_failure_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(57897);
/* harmony import */ var _app_saved_state_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(62360);
/* harmony import */ var _app_state_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(24166);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(71922);
/* harmony import */ var _runner_cancel_js__WEBPACK_IMPORTED_MODULE_6__ = __webpack_require__(74990);
/* harmony import */ var _runner_exit_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(98352);
/* harmony import */ var _runner_log_js__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(47708);
/* harmony import */ var _runner_step_inputs_js__WEBPACK_IMPORTED_MODULE_7__ = __webpack_require__(48782);








/**
 * The post step of the action: finishes what main could not, and does nothing twice. It fails the job only where a result cannot be reported, which
 * neither step has done then.
 */
async function post() {
    const reported = (0,_runner_exit_js__WEBPACK_IMPORTED_MODULE_4__/* .failUnlessReported */ .ag)();
    const cancel = (0,_runner_cancel_js__WEBPACK_IMPORTED_MODULE_6__/* .cancelSignal */ .B)(); // a cancel of the job reaches post, too: it goes on
    (0,_runner_exit_js__WEBPACK_IMPORTED_MODULE_4__/* .exitOnUncaught */ .Zb)((error) => _runner_log_js__WEBPACK_IMPORTED_MODULE_5__/* .jobLog */ .W.failure(`The capture could not be finished: ${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .messageOf */ .bD)(error)}`), 1);
    let mustReport = true;
    try {
        const state = (0,_app_saved_state_js__WEBPACK_IMPORTED_MODULE_1__/* .parsePointer */ .v)((0,_runner_step_inputs_js__WEBPACK_IMPORTED_MODULE_7__/* .readState */ .u)(_app_state_js__WEBPACK_IMPORTED_MODULE_2__/* .stateName */ .Vi));
        mustReport = state !== undefined && !(0,_app_state_js__WEBPACK_IMPORTED_MODULE_2__/* .isReported */ .Ob)(state.phase);
        if (state && state.phase !== 'done')
            await (await Promise.all(/* import() */[__webpack_require__.e(998), __webpack_require__.e(364)]).then(__webpack_require__.bind(__webpack_require__, 74364))).finishRun(state);
    }
    catch (error) {
        const text = `The capture could not be finished: ${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .messageOf */ .bD)(error)}`;
        if (mustReport) {
            _runner_log_js__WEBPACK_IMPORTED_MODULE_5__/* .jobLog */ .W.failure(text);
            (0,_app_failure_js__WEBPACK_IMPORTED_MODULE_0__/* .logErrorCode */ .y2)('E_RESULT_NOT_REPORTED', _runner_log_js__WEBPACK_IMPORTED_MODULE_5__/* .jobLog */ .W);
        }
        else
            _runner_log_js__WEBPACK_IMPORTED_MODULE_5__/* .jobLog */ .W.warning(text);
    }
    finally {
        cancel.dispose();
        (0,_runner_exit_js__WEBPACK_IMPORTED_MODULE_4__/* .exitWithin */ .yb)();
    }
    reported();
}


/***/ })

};
