export const id = 761;
export const ids = [761];
export const modules = {

/***/ 83916:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   bD: () => (/* binding */ messageOf),
/* harmony export */   cJ: () => (/* binding */ Cancelled),
/* harmony export */   j1: () => (/* binding */ ConfigurationError)
/* harmony export */ });
/** A mistake of the user's or of their set-up: the message names the input, the cause and the fix; it is shown without a stack. */
class ConfigurationError extends Error {
    name = 'ConfigurationError';
}
/** The run was cancelled before there was anything to deliver: nobody's mistake. */
class Cancelled extends Error {
    name = 'Cancelled';
}
/** What an unknown thrown value says, without "Error: ". */
function messageOf(error) {
    if (error instanceof AggregateError && error.errors.length > 0)
        return messageOf(error.errors[0]);
    if (error instanceof Error)
        return error.message || error.name;
    return String(error);
}


/***/ }),

/***/ 41730:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   main: () => (/* binding */ main)
/* harmony export */ });
/* harmony import */ var _runner_cancel_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(74990);
/* harmony import */ var _runner_end_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(7559);
/* harmony import */ var _run_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(69861);



/** The first door: captures, unless the inputs are wrong. */
async function main() {
    const cancel = (0,_runner_cancel_js__WEBPACK_IMPORTED_MODULE_2__/* .cancelSignal */ .B)();
    try {
        await (0,_run_js__WEBPACK_IMPORTED_MODULE_1__.run)(cancel.signal);
    }
    catch (error) {
        (0,_runner_end_js__WEBPACK_IMPORTED_MODULE_0__/* .failStep */ .v)(error);
    }
    finally {
        cancel.dispose();
        (0,_runner_end_js__WEBPACK_IMPORTED_MODULE_0__/* .lastResort */ .y)();
    }
}


/***/ }),

/***/ 74990:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   B: () => (/* binding */ cancelSignal)
/* harmony export */ });
/**
 * The runner cancels by SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL (actions/runner, ProcessInvoker.cs). Either signal, once or twice, is one
 * cancel; without a handler Node would end at once.
 */
function cancelSignal() {
    const controller = new AbortController();
    const abort = () => controller.abort();
    process.on('SIGINT', abort);
    process.on('SIGTERM', abort);
    return {
        signal: controller.signal,
        dispose: () => {
            process.off('SIGINT', abort);
            process.off('SIGTERM', abort);
        },
    };
}


/***/ }),

/***/ 7559:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   v: () => (/* binding */ failStep),
/* harmony export */   y: () => (/* binding */ lastResort)
/* harmony export */ });
/* harmony import */ var _errors_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(83916);
/* harmony import */ var _log_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(47708);


/** Fails the step: a user's mistake by its words alone, a mistake of ours with its stack. A cancel is neither. */
function failStep(error) {
    if (error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .Cancelled */ .cJ) {
        _log_js__WEBPACK_IMPORTED_MODULE_0__/* .jobLog */ .W.info(error.message);
        return;
    }
    _log_js__WEBPACK_IMPORTED_MODULE_0__/* .jobLog */ .W.failure((0,_errors_js__WEBPACK_IMPORTED_MODULE_1__/* .messageOf */ .bD)(error));
    if (error instanceof Error && !(error instanceof _errors_js__WEBPACK_IMPORTED_MODULE_1__/* .ConfigurationError */ .j1) && error.stack !== undefined) {
        _log_js__WEBPACK_IMPORTED_MODULE_0__/* .jobLog */ .W.info(error.stack);
    }
}
/**
 * The process ends when its last handle is closed, with `process.exitCode`. A handle that a library left open must not hold the job: after
 * 3 s the process is ended. (`process.exit` at once is no way out: it hung in 3 of 80 runs.)
 */
function lastResort(ms = 3_000) {
    setTimeout(() => process.exit(), ms).unref();
}


/***/ }),

/***/ 47708:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   W: () => (/* binding */ jobLog)
/* harmony export */ });
/* unused harmony export plain */
/* harmony import */ var _actions_core__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(91659);

const jobLog = {
    info: (line) => _actions_core__WEBPACK_IMPORTED_MODULE_0__/* .info */ .pq(plain(line)),
    warning: (text) => _actions_core__WEBPACK_IMPORTED_MODULE_0__/* .warning */ .$e(plain(text)),
    failure: (text) => _actions_core__WEBPACK_IMPORTED_MODULE_0__/* .setFailed */ .C1(plain(text)),
    group: (title, body) => _actions_core__WEBPACK_IMPORTED_MODULE_0__/* .group */ .Os(plain(title), body),
};
/**
 * The one escaper between foreign text (names, a server's words, a tool's) and the log: the runner obeys `::command::` at the start of a
 * line and `##[command]` anywhere in one (actions/runner, ActionCommand.cs), and a terminal obeys control characters.
 */
function plain(text) {
    return text
        .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
        .replace(/##\[/g, '## [')
        .replace(/^(\s*)::/gm, '$1: :');
}


/***/ }),

/***/ 2462:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   B: () => (/* binding */ parseState),
/* harmony export */   V: () => (/* binding */ stateName)
/* harmony export */ });
const stateName = 'capture';
function parseState(text) {
    return text === '' ? undefined : JSON.parse(text);
}


/***/ })

};
