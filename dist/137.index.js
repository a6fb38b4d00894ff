export const id = 137;
export const ids = [137];
export const modules = {

/***/ 57897:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   QA: () => (/* binding */ setErrorCode),
/* harmony export */   R3: () => (/* binding */ internalProblem),
/* harmony export */   fk: () => (/* binding */ logStack),
/* harmony export */   xV: () => (/* binding */ reportFailure),
/* harmony export */   y2: () => (/* binding */ logErrorCode)
/* harmony export */ });
/* harmony import */ var _common_document_url_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(28408);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(14551);
/* harmony import */ var _report_failure_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(3304);
/* harmony import */ var _runner_step_files_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(51252);





/**
 * Fails the step: annotation, log and summary. An unexpected error also shows its stack. A cancel is not a failure.
 * @returns the code of the first problem
 */
async function reportFailure(error, log) {
    if (error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .Cancelled */ .cJ) {
        log.info(error.message);
        return undefined;
    }
    const isExpected = error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1;
    // The lines of a ConfigurationError are the action's; those of another error may be a server's.
    log.failure(isExpected ? error.message : (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_3__/* .toOneLine */ .GX)((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)));
    if (!isExpected)
        logStack(error, log);
    const problems = isExpected ? error.problems : [internalProblem(error)];
    for (const code of new Set(problems.map((problem) => problem.code)))
        logErrorCode(code, log);
    const options = isExpected ? error : {};
    await (0,_runner_step_files_js__WEBPACK_IMPORTED_MODULE_2__/* .writeSummary */ .Sy)((0,_report_failure_js__WEBPACK_IMPORTED_MODULE_1__/* .failureMarkdown */ .A)(problems, options)).catch((reason) => {
        log.warning(`The summary cannot be written: ${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(reason)}`);
    });
    return problems[0]?.code;
}
/** The stack of an error that no code expects, a line of the log for each of its lines. */
function logStack(error, log) {
    if (error instanceof _common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .ConfigurationError */ .j1 || !(error instanceof Error) || error.stack === undefined)
        return;
    for (const line of error.stack.split('\n'))
        log.info(line);
}
/** One line with the code and its entry in the documentation. */
function logErrorCode(code, log) {
    log.info(`Error code: ${code}. See ${(0,_common_document_url_js__WEBPACK_IMPORTED_MODULE_4__/* .documentUrl */ .L)(`docs/troubleshooting.md#${code.toLowerCase()}`)}`);
}
/** An error that no code expects. */
function internalProblem(error) {
    return {
        code: 'E_INTERNAL',
        input: 'internal error',
        problem: (0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error),
        fix: 'If the message does not explain it, this is a defect of the action: please report it with the log of the step.',
    };
}
/** The output `error-code`: '' where the run succeeded. */
function setErrorCode(code, log) {
    try {
        (0,_runner_step_files_js__WEBPACK_IMPORTED_MODULE_2__/* .setOutput */ .uH)('error-code', code ?? '');
    }
    catch (error) {
        log.failure(`The output error-code cannot be written: ${(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .messageOf */ .bD)(error)}`);
    }
}


/***/ }),

/***/ 24166:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   BQ: () => (/* binding */ statePath),
/* harmony export */   Ob: () => (/* binding */ isReported),
/* harmony export */   Vi: () => (/* binding */ stateName),
/* harmony export */   oN: () => (/* binding */ StateKeeper)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(76760);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_path__WEBPACK_IMPORTED_MODULE_2__);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(71922);
/* harmony import */ var _runner_step_files_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(51252);





/** main has reported the result, or there is none. */
function isReported(phase) {
    return phase === 'delivered' || phase === 'done';
}
const stateName = 'capture';
/** 33 bytes each: 33 kB. With more captures post lists the folder. */
const maxNamedCaptureCount = 1_000;
/** Saves what post needs, each time before the thing is created that post would have to remove. */
class StateKeeper {
    #folder;
    #captures;
    #phase = 'begun';
    /**
     * `temp`: the folder of the part files.
     * @throws ConfigurationError where nothing can be written there
     */
    constructor(temp, captures) {
        this.#folder = (0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(temp, `state-${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomUUID)()}`);
        this.#captures = new Map(captures.map(({ recorder: { record }, hints, cautions }) => [
            record.captureId,
            { record, hints, cautions, isTouched: false },
        ]));
        try {
            (0,node_fs__WEBPACK_IMPORTED_MODULE_1__.mkdirSync)(this.#folder, { recursive: true, mode: 0o700 });
            for (const capture of this.#captures.values())
                this.#write(capture);
        }
        catch (error) {
            throw notWritable(temp, error);
        }
        this.#save();
    }
    /** Before something is put where post would have to remove it. `leftover`: what of it cannot be removed, in words. */
    touching(record, leftover) {
        this.#change(record, { isTouched: true, leftover });
        if (this.#phase !== 'starting')
            this.enter('starting');
    }
    started({ record, imageId }) {
        this.#change(record, { isTouched: true, imageId });
    }
    /** A result that post need not fetch again; without a delivery post delivers it. */
    captured(result) {
        this.#change(result.record, { result });
    }
    /** Nothing of this capture is left to finish. */
    forget({ captureId }) {
        this.#captures.delete(captureId);
        this.#save();
        (0,node_fs__WEBPACK_IMPORTED_MODULE_1__.rmSync)(this.#path(captureId), { force: true });
    }
    /** How many captures post would have to finish. */
    get captureCount() {
        return this.#captures.size;
    }
    enter(phase) {
        this.#phase = phase;
        this.#save();
        if (phase === 'done')
            (0,node_fs__WEBPACK_IMPORTED_MODULE_1__.rmSync)(this.#folder, { recursive: true, force: true });
    }
    #change({ captureId }, changes) {
        const capture = this.#captures.get(captureId);
        if (capture === undefined)
            return;
        const changed = { ...capture, ...changes };
        this.#captures.set(captureId, changed);
        this.#write(changed);
    }
    /** A file that is replaced by its rename is whole at each moment. */
    #write(capture) {
        const path = this.#path(capture.record.captureId);
        (0,node_fs__WEBPACK_IMPORTED_MODULE_1__.writeFileSync)(`${path}.new`, JSON.stringify(capture), { mode: 0o600 });
        (0,node_fs__WEBPACK_IMPORTED_MODULE_1__.renameSync)(`${path}.new`, path);
    }
    #path(captureId) {
        return statePath(this.#folder, captureId);
    }
    #save() {
        const pointer = {
            phase: this.#phase,
            folder: this.#folder,
            captureIds: [...this.#captures.keys()].slice(0, maxNamedCaptureCount),
            captureCount: this.#captures.size,
        };
        (0,_runner_step_files_js__WEBPACK_IMPORTED_MODULE_4__/* .saveState */ .LZ)(stateName, pointer);
    }
}
/** The file of one capture's state. */
function statePath(folder, captureId) {
    return (0,node_path__WEBPACK_IMPORTED_MODULE_2__.join)(folder, `${captureId}.json`);
}
function notWritable(folder, error) {
    return new _common_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .ConfigurationError */ .j1({
        code: 'E_RUNNER_DISK',
        input: 'RUNNER_TEMP',
        problem: `the folder ${folder} on the runner is not writable`,
        message: (0,_common_errors_js__WEBPACK_IMPORTED_MODULE_3__/* .messageOf */ .bD)(error),
        fix: 'Free space on the disk of the runner, or correct the permissions of the folder.',
    }, { leftovers: [], cause: error });
}


/***/ }),

/***/ 28408:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ documentUrl)
/* harmony export */ });
/** The address of a file of this repository at the version that runs; its path where the action runs from the workflow's own checkout. */
function documentUrl(path, env = process.env) {
    if (path.startsWith('https://'))
        return path;
    const repository = env['GITHUB_ACTION_REPOSITORY'];
    const ref = env['GITHUB_ACTION_REF'];
    return repository && ref ? `https://github.com/${repository}/blob/${ref}/${path}` : path;
}


/***/ }),

/***/ 71922:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   $_: () => (/* binding */ renderLeftovers),
/* harmony export */   V$: () => (/* binding */ describeCause),
/* harmony export */   X5: () => (/* binding */ renderHeading),
/* harmony export */   bD: () => (/* binding */ messageOf),
/* harmony export */   cJ: () => (/* binding */ Cancelled),
/* harmony export */   g7: () => (/* binding */ renderCause),
/* harmony export */   j1: () => (/* binding */ ConfigurationError),
/* harmony export */   yM: () => (/* binding */ renderProblem),
/* harmony export */   zt: () => (/* binding */ renderFailure)
/* harmony export */ });
/* harmony import */ var _remote_text_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(14551);
/* harmony import */ var _document_url_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(28408);


/** A mistake of the user's or of their configuration. It is shown without a stack. */
class ConfigurationError extends Error {
    name = 'ConfigurationError';
    problems;
    stage;
    leftovers;
    cautions;
    constructor(problems, options = {}) {
        const [first, ...others] = 'code' in problems ? [problems] : problems;
        if (first === undefined)
            throw new TypeError('a ConfigurationError needs a problem');
        const all = [first, ...others];
        super(renderFailure(all, options), options.cause === undefined ? undefined : { cause: options.cause });
        this.problems = all;
        this.stage = options.stage;
        this.leftovers = options.leftovers;
        this.cautions = options.cautions;
    }
}
/** The text of one or several problems for the log: what is wrong, how to fix it, and once what was created. */
function renderFailure(problems, { stage, leftovers } = {}) {
    const created = renderLeftovers(leftovers);
    const [first] = problems;
    if (first !== undefined && problems.length === 1) {
        const text = renderProblem(first);
        return [text, created].filter(Boolean).join(text.includes('\n') ? '\n' : ' ');
    }
    const heading = [renderHeading(stage, problems.length), created].filter(Boolean).join(' ');
    return [heading, ...problems.map((problem) => `- ${renderProblem(problem)}`)].join('\n');
}
/**
 * `input: problem. fix See docs.` on one line. Details follow the problem on lines of their own; a command keeps the beginnings of its lines,
 * because a here-document ends at a line that is its word alone.
 */
function renderProblem(problem) {
    const { fix, command, docs } = problem;
    // Names and messages of a server are in them: a line break would make a line that looks like one of the action.
    const details = (problem.details ?? []).map(_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .joinLines */ .cT);
    const see = docs === undefined ? '' : `See ${(0,_document_url_js__WEBPACK_IMPORTED_MODULE_1__/* .documentUrl */ .L)(docs)}.`;
    const cause = (0,_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .joinLines */ .cT)(`${problem.input}: ${renderCause(problem)}`);
    const advice = [(0,_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .joinLines */ .cT)(fix), ...(command === undefined ? [see] : [])].filter(Boolean).join(' ');
    const begin = details.length === 0
        ? [cause, advice].filter(Boolean).join(' ')
        : [cause, ...details.map((detail) => `    ${detail}`), ...(advice === '' ? [] : [`  ${advice}`])].join('\n');
    return command === undefined ? begin : [begin, command, see].filter(Boolean).join('\n');
}
/** The problem with the mark at its end that leads to what follows: a colon before details, else a full stop. */
function renderCause(problem) {
    const { message, details = [] } = problem;
    const cause = describeCause(problem);
    if (message !== undefined && /[.!?]$/.test(message))
        return cause; // a sentence of its author
    return `${cause}${details.length > 0 ? ':' : '.'}`;
}
/** The problem with the message that it quotes, as a clause. */
function describeCause({ problem, message }) {
    return message === undefined ? problem : `${problem}: ${message}`;
}
/** The sentence above several problems. */
function renderHeading(stage, count) {
    const problems = count === 1 ? '1 problem' : `${count} problems`;
    switch (stage) {
        case 'inputs':
            return count === 1 ? '1 input is invalid.' : `${count} inputs are invalid.`;
        case 'preflight':
            return `Preflight failed with ${problems}.`;
        case undefined:
            return `The run failed with ${problems}.`;
    }
}
/** What was created, as a sentence; '' where that is not known. */
function renderLeftovers(leftovers) {
    if (leftovers === undefined)
        return '';
    return leftovers.length === 0 ? 'No resources were created.' : `Not removed: ${(0,_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .joinLines */ .cT)(leftovers.join('; '))}.`;
}
/** The run was cancelled before there was anything to deliver. */
class Cancelled extends Error {
    name = 'Cancelled';
}
/** The message of an unknown thrown value, without "Error: ". */
function messageOf(error) {
    if (error instanceof AggregateError && error.errors.length > 0)
        return messageOf(error.errors[0]);
    if (error instanceof Error)
        return error.message || error.name;
    return String(error);
}


/***/ }),

/***/ 14551:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   GX: () => (/* binding */ toOneLine),
/* harmony export */   Jf: () => (/* binding */ hasWorkflowCommand),
/* harmony export */   P6: () => (/* binding */ maxTextChars),
/* harmony export */   Qi: () => (/* binding */ controlCharacters),
/* harmony export */   U3: () => (/* binding */ replaceControlCharacters),
/* harmony export */   cT: () => (/* binding */ joinLines),
/* harmony export */   k2: () => (/* binding */ controlCharacterIn),
/* harmony export */   lt: () => (/* binding */ sanitizeRemoteText),
/* harmony export */   pj: () => (/* binding */ plain)
/* harmony export */ });
/**
 * Control characters, line separators, and the characters that are not visible or change the direction of text: text from an input, a server, a
 * pod or a packet must not contain them where it is shown (https://trojansource.codes). In order: C0, DEL and C1; soft hyphen; the marks and
 * controls of directions; letters without a glyph; invisible operators and joiners; the byte order mark; annotations; the tags of plane 14, as surrogate pairs.
 */
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]|\udb40[\udc00-\udfff]/g;
/** The text without `controlCharacters`, each replaced by a space; line feeds are kept. */
function replaceControlCharacters(text) {
    return text.replace(controlCharacters, (character) => (character === '\n' ? character : ' '));
}
/** The text in one line, at most `maxLength` UTF-16 units: each run of white space and control characters becomes one space. */
function toOneLine(text, maxLength = Infinity) {
    return text.replace(controlCharacters, ' ').replace(/\s+/g, ' ').trim().slice(0, maxLength).toWellFormed();
}
/**
 * The lines of a text in one line, white space around a line break removed. Without a pattern for the white space: on a long run of blanks its
 * time would grow with the square of the length, and no timer or signal is served meanwhile.
 */
function joinLines(text) {
    const [first = '', ...others] = text.split(/[\r\n]+/);
    return [first.trimEnd(), ...others.map((line) => line.trim()).filter(Boolean)].join(' ');
}
/**
 * Text of a node or a pod for the state of the run, cut to `maxLength` UTF-16 units, which is a
 * file of bounded size. Control characters, for each of which JSON needs six, become spaces.
 */
function sanitizeRemoteText(text, maxLength) {
    return text.slice(0, maxLength).replace(controlCharacters, ' ').toWellFormed();
}
/** The first of `controlCharacters` in the text that is not allowed, for a message: `U+202E`; undefined where there is none. */
function controlCharacterIn(text, allowed = '') {
    for (const [character] of text.matchAll(controlCharacters)) {
        if (allowed.includes(character))
            continue;
        return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    }
    return undefined;
}
/** Whether a runner of GitHub Actions may read a command in a line of this text (ActionCommand.cs): `::` at its start, `##[` anywhere in it. */
function hasWorkflowCommand(text) {
    return /##\[|^\s*::/m.test(text);
}
/** Of one line or annotation: longer texts come only from a hostile server. */
const maxTextChars = 65_536;
/**
 * The one escaper between remote text (names, messages of a server or a tool, what packets carry) and the log or a terminal: the runner runs `::command::` at the start of a
 * line and `##[command]` anywhere in one (actions/runner, ActionCommand.cs), and a terminal interprets control characters.
 */
function plain(text) {
    return replaceControlCharacters(text.slice(0, maxTextChars))
        .replace(/##\[/g, '## [')
        .replace(/^([^\S\n]*)::/gm, '$1: :');
}


/***/ }),

/***/ 3304:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   A: () => (/* binding */ failureMarkdown),
/* harmony export */   g: () => (/* binding */ problemList)
/* harmony export */ });
/* harmony import */ var _common_document_url_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(28408);
/* harmony import */ var _common_errors_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(71922);
/* harmony import */ var _markdown_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(54285);



/** The summary of a run that captured nothing: each problem with its fix and a link to its entry in the documentation. */
function failureMarkdown(problems, { stage, leftovers, cautions = [] } = {}) {
    const title = stage === undefined ? 'Capture failed' : 'Not ready to capture';
    const heading = [(0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .renderHeading */ .X5)(stage, problems.length), (0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .renderLeftovers */ .$_)(leftovers)].filter(Boolean).join(' ');
    const warnings = cautions.map((caution) => (0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .callout */ .xl)('WARNING', caution));
    return [`## \u274c ${title}`, (0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)(heading), problemList(problems), ...warnings, ''].join('\n\n');
}
/** A Markdown list with one item for each problem. */
function problemList(problems) {
    return problems.map(problemItem).join('\n');
}
function problemItem(problem) {
    const { input, details = [], fix, command } = problem;
    const cause = `**${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)(input)}**: ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)((0,_common_errors_js__WEBPACK_IMPORTED_MODULE_0__/* .renderCause */ .g7)(problem))}`;
    const advice = lines(fix);
    const see = seeAlso(problem);
    const blocks = details.length === 0 && command === undefined
        ? [[cause, advice, see].filter(Boolean).join(' ')]
        : [
            cause,
            details.map((detail) => `- ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)(detail)}`).join('\n'),
            advice,
            command === undefined ? '' : (0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .codeBlock */ .DV)(command, 'sh'),
            see,
        ].filter(Boolean);
    return `- ${blocks.join('\n\n').replaceAll('\n', '\n  ')}`;
}
function lines(value) {
    return value
        .split('\n')
        .map((line) => (0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .text */ .Qq)(line.trim()))
        .join('<br>\n');
}
function seeAlso({ code, docs }) {
    const entry = (0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .link */ .nf)(code, (0,_common_document_url_js__WEBPACK_IMPORTED_MODULE_2__/* .documentUrl */ .L)(`docs/troubleshooting.md#${code.toLowerCase()}`));
    return docs === undefined ? `See ${entry}.` : `See ${(0,_markdown_js__WEBPACK_IMPORTED_MODULE_1__/* .link */ .nf)(docs, (0,_common_document_url_js__WEBPACK_IMPORTED_MODULE_2__/* .documentUrl */ .L)(docs))} and ${entry}.`;
}


/***/ }),

/***/ 54285:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   CS: () => (/* binding */ breakableCell),
/* harmony export */   DV: () => (/* binding */ codeBlock),
/* harmony export */   ID: () => (/* binding */ markdownCallout),
/* harmony export */   N8: () => (/* binding */ breakableCode),
/* harmony export */   Qq: () => (/* binding */ text),
/* harmony export */   WP: () => (/* binding */ joinedParts),
/* harmony export */   aY: () => (/* binding */ code),
/* harmony export */   mo: () => (/* binding */ breakable),
/* harmony export */   nf: () => (/* binding */ link),
/* harmony export */   tp: () => (/* binding */ table),
/* harmony export */   vI: () => (/* binding */ shortened),
/* harmony export */   xl: () => (/* binding */ callout),
/* harmony export */   yt: () => (/* binding */ unmaskableLink),
/* harmony export */   zH: () => (/* binding */ details)
/* harmony export */ });
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(14551);

const controlRuns = new RegExp(`(?:${_common_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .controlCharacters */ .Qi.source})+`, 'g');
/** Of one text, UTF-16 units: so that the longest report is below that limit, too. */
const maxPartLength = 400;
/** A phone shows some 40 characters in a line, and a word that is longer makes the page wider. */
const maxWordLength = 20;
/** Behind a hyphen, a dot or a slash a word breaks where it reads well, but not into bits. */
const minWordLength = 9;
/** Of one text in the summary, which GitHub limits to 1 MiB. */
const maxTextLength = 4096;
/**
 * The one escaper between captured or remote text and the summary: the special characters of HTML and Markdown, line breaks and direction
 * marks become harmless, and no address becomes a link. GitHub renders Markdown inside of HTML, so both are escaped.
 */
function text(value) {
    return value
        .slice(0, maxTextLength)
        .replace(controlRuns, ' ')
        .replace(/[&<>"'`|\\*_~[\](){}#!@$]|:(?=\/\/)|(?<=www)\./gi, (character) => `&#${character.charCodeAt(0)};`);
}
function code(value) {
    return `<code>${text(value)}</code>`;
}
/** A table of two columns; the cells are Markdown already. */
function table(rows) {
    return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}
/** A block of code that no line in it can end: its fence is longer than each run of backticks inside. */
function codeBlock(content, language) {
    const lines = (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_0__/* .replaceControlCharacters */ .U3)(content);
    const longestRunLength = Math.max(2, ...[...lines.matchAll(/`+/g)].map(([run]) => run.length));
    const fence = '`'.repeat(longestRunLength + 1);
    return `${fence}${language}\n${lines}\n${fence}`;
}
/** A link to an https address; code where the address is a path. */
function link(label, address) {
    if (!address.startsWith('https://'))
        return code(address);
    const target = encodeURI(address).replace(/[()]/g, (character) => (character === '(' ? '%28' : '%29'));
    return `[${text(label)}](${target})`;
}
/**
 * A link to a page of the repository. The runner replaces each masked secret in the summary, and the name of the repository or of its owner can
 * be one (the user name of a registry, for example), so each character of the address is a numeric reference. Markdown decodes them after
 * that (CommonMark 0.31.2, section 2.5). A relative address has no such name, but cannot fit both pages: `\u2026/runs/RUN` and
 * `\u2026/runs/RUN/attempts/2`.
 */
function unmaskableLink(label, address) {
    return `[${text(label)}](${Array.from(address, (character) => `&#${character.codePointAt(0)};`).join('')})`;
}
/** `> [!TIP]` and the like. */
function callout(kind, content) {
    return markdownCallout(kind, text(content));
}
/** The same of one line that is Markdown already. */
function markdownCallout(kind, line) {
    return `> [!${kind}]\n> ${line}`;
}
/** A part of the summary that one tap opens; nothing where it has no content. `title` and `content` are Markdown already. */
function details(title, content) {
    return content === '' ? '' : `<details><summary>${title}</summary>\n\n${content}\n\n</details>`;
}
/** Parts with an empty line between them; those that are empty are left out. */
function joinedParts(parts) {
    return parts.filter((part) => part !== '').join('\n\n');
}
/** Escaped text in which a browser may break long words. */
function breakable(value) {
    return pieces(value).map(text).join('<wbr>');
}
/** Escaped text for a narrow column: a browser may break it before a port, and behind each `-`, `/` and `_`, too. */
function breakableCell(value) {
    return value
        .split(/(?=:\d)|(?<=[/_-])(?=\w)/)
        .map(breakable)
        .join('<wbr>');
}
/** At most `maxLength` UTF-16 units, the last of them `\u2026` where something is cut off. */
function shortened(value, maxLength) {
    return value.length > maxLength ? `${value.slice(0, maxLength - 1).toWellFormed()}\u2026` : value;
}
function breakableCode(value) {
    return `<code>${breakable(value)}</code>`;
}
/** The text in parts, so that no part has a word that is longer than a phone's line. */
function pieces(value) {
    const parts = [];
    let part = '';
    let wordLength = 0;
    const cut = value.length > maxPartLength ? `${value.slice(0, maxPartLength)}\u2026` : value;
    for (const character of cut.toWellFormed()) {
        if (wordLength === maxWordLength && !/\s/u.test(character)) {
            parts.push(part);
            part = '';
            wordLength = 0;
        }
        part += character;
        wordLength = /\s/u.test(character) ? 0 : wordLength + 1;
        if (wordLength >= minWordLength && /[-./_]/.test(character)) {
            parts.push(part);
            part = '';
            wordLength = 0;
        }
    }
    return [...parts, part];
}


/***/ }),

/***/ 74990:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   B: () => (/* binding */ cancelSignal)
/* harmony export */ });
/**
 * Aborts when the runner cancels the step. It sends SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL (actions/runner, ProcessInvoker.cs). Either
 * signal, once or twice, is one cancel; without a handler Node would end at once.
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

/***/ 98352:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Zb: () => (/* binding */ exitOnUncaught),
/* harmony export */   ag: () => (/* binding */ failUnlessReported),
/* harmony export */   yb: () => (/* binding */ exitWithin)
/* harmony export */ });
/* harmony import */ var _log_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(47708);

/** The runner takes every exit code but 0 as a failure; 1 is that of a failure that the log explains. */
const unreportedExitCode = 2;
/**
 * From here on the process fails, whatever ends it: an error in the code that reports an error, or an event loop that has nothing left to do. The
 * function that is returned says that the result was reported; a failure that was logged stays one.
 */
function failUnlessReported() {
    process.exitCode = unreportedExitCode;
    const onExit = () => {
        if (process.exitCode === unreportedExitCode)
            _log_js__WEBPACK_IMPORTED_MODULE_0__/* .jobLog */ .W.failure('The step ended before it reported its result.');
    };
    process.on('exit', onExit);
    return () => {
        process.off('exit', onExit);
        if (process.exitCode === unreportedExitCode)
            process.exitCode = 0;
    };
}
/**
 * An error that no code catches ends the process as in Node.js, but its message passes through the log: Node.js prints it as it is, and a message of a
 * server may have a workflow command in it. `report` gets the error before the process exits with `exitCode`.
 */
function exitOnUncaught(report, exitCode) {
    process.on('uncaughtException', (error) => {
        try {
            report(error);
        }
        finally {
            process.exit(exitCode);
        }
    });
}
/**
 * The process ends when its last handle is closed, with `process.exitCode`. A handle that a library left open must not hold the job: after
 * `ms` the process exits. (An immediate `process.exit` is not reliable: it hung in 3 of 80 runs.)
 */
function exitWithin(ms = 3_000) {
    setTimeout(() => process.exit(), ms).unref();
}


/***/ }),

/***/ 47708:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   W: () => (/* binding */ jobLog)
/* harmony export */ });
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(14551);
/* harmony import */ var _workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(91520);


const jobLog = {
    info: (line) => void process.stdout.write(`${plainLine(line)}\n`),
    notice: (text) => (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('notice', plainLine(text)),
    warning: (text) => (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('warning', plainLine(text)),
    failure: (text) => {
        process.exitCode = 1;
        (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('error', (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .plain */ .pj)(text));
    },
    group: async (title, body) => {
        (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('group', plainLine(title));
        try {
            return await body();
        }
        finally {
            (0,_workflow_commands_js__WEBPACK_IMPORTED_MODULE_0__/* .issueCommand */ .L)('endgroup');
        }
    },
};
/** `plain` for a text that must stay one line: a name with a line break must not make a line that looks like one of the action. */
function plainLine(text) {
    return (0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .plain */ .pj)((0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .joinLines */ .cT)(text.slice(0, _common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .maxTextChars */ .P6)));
}


/***/ }),

/***/ 51252:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   LZ: () => (/* binding */ saveState),
/* harmony export */   Sy: () => (/* binding */ writeSummary),
/* harmony export */   uH: () => (/* binding */ setOutput)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(73024);
/* harmony import */ var node_fs__WEBPACK_IMPORTED_MODULE_1___default = /*#__PURE__*/__webpack_require__.n(node_fs__WEBPACK_IMPORTED_MODULE_1__);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(51455);
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_2___default = /*#__PURE__*/__webpack_require__.n(node_fs_promises__WEBPACK_IMPORTED_MODULE_2__);



/** Sets an output of the step; does nothing outside of a workflow. @throws the file system's error */
function setOutput(name, value) {
    appendValue('GITHUB_OUTPUT', name, String(value));
}
/** Saves a value for the post step; does nothing outside of a workflow. @throws the file system's error */
function saveState(name, value) {
    appendValue('GITHUB_STATE', name, JSON.stringify(value));
}
/** GitHub drops a summary above 1 MiB as a whole. */
const maxSummaryBytes = 1_000_000;
/** Adds to the summary of the job; does nothing outside of a workflow. @throws the file system's error */
async function writeSummary(markdown) {
    const path = process.env['GITHUB_STEP_SUMMARY'];
    if (path)
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_2__.appendFile)(path, Buffer.from(markdown).subarray(0, maxSummaryBytes));
}
/** `name<<delimiter`, the value, the delimiter: the form for values of several lines. A value cannot contain a delimiter that is not known before. */
function appendValue(variable, name, value) {
    const path = process.env[variable];
    if (!path)
        return;
    const delimiter = `ghadelimiter_${(0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomUUID)()}`;
    (0,node_fs__WEBPACK_IMPORTED_MODULE_1__.appendFileSync)(path, `${name}<<${delimiter}\n${value}\n${delimiter}\n`);
}


/***/ }),

/***/ 48782:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   R: () => (/* binding */ readInput),
/* harmony export */   u: () => (/* binding */ readState)
/* harmony export */ });
/** The text of an input of the step, trimmed; '' where it is not set. */
function readInput(name) {
    return (process.env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim();
}
/** What main has saved for the post step; '' where it has saved nothing. */
function readState(name) {
    return process.env[`STATE_${name}`] ?? '';
}


/***/ }),

/***/ 91520:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   L: () => (/* binding */ issueCommand),
/* harmony export */   h: () => (/* binding */ withLibraryOutput)
/* harmony export */ });
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(77598);
/* harmony import */ var node_crypto__WEBPACK_IMPORTED_MODULE_0___default = /*#__PURE__*/__webpack_require__.n(node_crypto__WEBPACK_IMPORTED_MODULE_0__);
/* harmony import */ var _common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(14551);


/**
 * Prints a workflow command, one line on stdout that the runner interprets (docs.github.com, "Workflow commands for GitHub Actions").
 * @actions/core has the same; it loads an HTTP client (1 MB of code) before its first line, which an invalid input would wait for
 * (bench/start.ts).
 */
function issueCommand(name, text = '') {
    const command = `::${name}::${escapeData(text)}\n`;
    if (library)
        library.printCommand(command);
    else
        process.stdout.write(command);
}
/** Set while a library may print. */
let library;
/**
 * Runs a library that prints to stdout. The runner executes nothing of what it prints: before its first line comes `stop-commands`, which holds for
 * `::command::` and for `##[command]` (actions/runner, ActionCommandManager.cs). The exception is `add-mask`, because a library masks its secrets
 * before it uses them. Its lines pass through `escape` as well, for a program that reads the log later. The commands of this action are executed.
 */
async function withLibraryOutput(escape, body) {
    const current = (library ??= new LibraryOutput(escape));
    current.callCount += 1;
    try {
        return await body();
    }
    finally {
        current.callCount -= 1;
        if (current.callCount === 0) {
            library = undefined;
            current.end();
        }
    }
}
/** Takes the place of `process.stdout.write`, and of that of stderr, which the runner reads in the same way. */
class LibraryOutput {
    callCount = 0;
    #escape;
    #write;
    #writeError;
    /** While it is set, the runner executes no command but the one with this name. No other text knows it. */
    #stopToken;
    constructor(escape) {
        this.#escape = escape;
        // eslint-disable-next-line @typescript-eslint/unbound-method -- called with stdout as `this`, and put back as it was
        this.#write = process.stdout.write;
        // eslint-disable-next-line @typescript-eslint/unbound-method -- the same
        this.#writeError = process.stderr.write;
        process.stdout.write = ((...given) => this.#take(textOf(given[0]), callbackIn(given)));
        process.stderr.write = ((...given) => this.#writeError.call(process.stderr, escape(textOf(given[0])), 'utf8', callbackIn(given)));
    }
    printCommand(command) {
        this.#print(this.#resume() + command);
    }
    end() {
        process.stdout.write = this.#write;
        process.stderr.write = this.#writeError;
        const resume = this.#resume();
        if (resume !== '')
            this.#print(resume);
    }
    /**
     * One write of the library. @actions/core writes a command as one line of its own (command.ts). A debug command becomes a line of the log where
     * the debug log is on, and nothing where it is off, as on the runner.
     */
    #take(text, onWritten) {
        const [, name, data = ''] = /^::(add-mask|debug|notice|warning|error)::([^\r\n]*)\r?\n$/.exec(text) ?? [];
        if (name === 'add-mask')
            return this.#print(`${this.#resume()}::add-mask::${data}\n`, onWritten);
        if (name === 'debug' && process.env['RUNNER_DEBUG'] !== '1')
            return this.#print('', onWritten);
        const line = name === undefined ? this.#escape(text) : `${name}: ${this.#escape((0,_common_remote_text_js__WEBPACK_IMPORTED_MODULE_1__/* .joinLines */ .cT)(unescapeData(data)))}\n`;
        return this.#print(this.#stop() + line, onWritten);
    }
    #stop() {
        if (this.#stopToken !== undefined)
            return '';
        this.#stopToken = (0,node_crypto__WEBPACK_IMPORTED_MODULE_0__.randomBytes)(16).toString('hex');
        return `::stop-commands::${this.#stopToken}\n`;
    }
    #resume() {
        const line = this.#stopToken === undefined ? '' : `::${this.#stopToken}::\n`;
        this.#stopToken = undefined;
        return line;
    }
    #print(text, onWritten) {
        return this.#write.call(process.stdout, text, 'utf8', onWritten);
    }
}
function textOf(chunk) {
    return typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
}
/** The last argument of `write`, or of its form without an encoding. */
function callbackIn(given) {
    return given.find((argument) => typeof argument === 'function');
}
function escapeData(text) {
    return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
function unescapeData(data) {
    return data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}


/***/ })

};
