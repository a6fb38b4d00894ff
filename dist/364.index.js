export const id = 364;
export const ids = [364];
export const modules = {

/***/ 74364:
/***/ ((__unused_webpack_module, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  finishRun: () => (/* binding */ finishRun)
});

// EXTERNAL MODULE: ./src/runner/step-inputs.ts
var step_inputs = __webpack_require__(48782);
// EXTERNAL MODULE: external "node:fs/promises"
var promises_ = __webpack_require__(51455);
// EXTERNAL MODULE: ./src/capture/capture-result.ts + 3 modules
var capture_result = __webpack_require__(30909);
// EXTERNAL MODULE: ./src/capture/capture.ts + 4 modules
var capture_capture = __webpack_require__(51685);
// EXTERNAL MODULE: ./src/capture/recorders/methods.ts + 2 modules
var methods = __webpack_require__(9588);
// EXTERNAL MODULE: ./src/capture/recorders/start-failure.ts
var start_failure = __webpack_require__(3669);
// EXTERNAL MODULE: ./src/capture/target-watch.ts
var target_watch = __webpack_require__(61735);
// EXTERNAL MODULE: ./src/common/errors.ts
var errors = __webpack_require__(71922);
// EXTERNAL MODULE: ./src/inputs/request.ts + 7 modules
var inputs_request = __webpack_require__(36031);
// EXTERNAL MODULE: ./src/runner/job.ts + 1 modules
var job = __webpack_require__(81002);
// EXTERNAL MODULE: ./src/runner/log.ts
var log = __webpack_require__(47708);
// EXTERNAL MODULE: ./src/app/capture-events.ts
var capture_events = __webpack_require__(22307);
// EXTERNAL MODULE: ./src/app/capture-report.ts
var capture_report = __webpack_require__(54920);
// EXTERNAL MODULE: ./src/app/diagnosis-report.ts + 1 modules
var diagnosis_report = __webpack_require__(84377);
// EXTERNAL MODULE: ./src/app/live-diagnosis.ts + 5 modules
var live_diagnosis = __webpack_require__(54206);
// EXTERNAL MODULE: ./src/app/cleanup.ts
var cleanup = __webpack_require__(33403);
// EXTERNAL MODULE: ./src/app/cluster-access.ts
var cluster_access = __webpack_require__(76896);
// EXTERNAL MODULE: ./src/app/deliver.ts + 17 modules
var deliver = __webpack_require__(64922);
// EXTERNAL MODULE: ./src/capture/recorders/ephemeral-container.ts
var ephemeral_container = __webpack_require__(41119);
// EXTERNAL MODULE: ./src/capture/recorders/node-job.ts + 2 modules
var node_job = __webpack_require__(21849);
;// CONCATENATED MODULE: ./src/capture/recorders/open-recorder.ts


/** The recorder of a record that another process has saved. @throws what `access` throws */
async function openRecorder(record, access, earlier) {
    const { method } = record;
    switch (method.kind) {
        case 'container':
            return (0,ephemeral_container/* ephemeralRecorder */.y)(await access.cluster(), record);
        case 'node-pod':
            return (0,node_job/* nodePodRecorder */.U)(await access.cluster(), record, method.namespace);
        case 'ssh': {
            const { NodeSshRecorder } = await Promise.all(/* import() */[__webpack_require__.e(108), __webpack_require__.e(324)]).then(__webpack_require__.bind(__webpack_require__, 41108));
            return new NodeSshRecorder(await access.nodes(), record, earlier);
        }
    }
}

;// CONCATENATED MODULE: ./src/app/recorders.ts


/**
 * The recorder of a saved record, for post. `mayBeThere`: main may have put something on the node.
 * The cluster and Google are opened only where the recorder needs them.
 */
async function recorderForRecord(access, { record, leftover }, mayBeThere = true) {
    const opened = {
        cluster: async () => (await (0,cluster_access/* openCluster */.D)(access, process.env)).connection,
        nodes: async () => {
            const { GoogleNodeAccess } = await Promise.all(/* import() */[__webpack_require__.e(977), __webpack_require__.e(299)]).then(__webpack_require__.bind(__webpack_require__, 22299));
            return new GoogleNodeAccess(await (0,cluster_access/* openGoogle */.y)(access, process.env), process.env);
        },
    };
    return openRecorder(record, opened, { mayBeThere, leftover });
}

// EXTERNAL MODULE: ./src/app/failure.ts
var failure = __webpack_require__(57897);
// EXTERNAL MODULE: ./src/app/saved-state.ts
var saved_state = __webpack_require__(62360);
// EXTERNAL MODULE: ./src/app/state.ts
var state = __webpack_require__(24166);
;// CONCATENATED MODULE: ./src/app/post.ts






















/** Finishes what main left in the pods, on the nodes or on the disk: fetches, cleans up, uploads and summarises it. */
async function finishRun(pointer) {
    const { phase, captures, problems } = await (0,saved_state/* loadRun */.S)(pointer);
    const reportLoss = (0,state/* isReported */.Ob)(phase) ? (text) => log/* jobLog */.W.warning(text) : notReported;
    for (const problem of problems)
        reportLoss((0,errors/* renderProblem */.yM)(problem));
    const request = (0,inputs_request/* readRequest */.i)(step_inputs/* readInput */.R);
    const reports = [];
    for (const capture of captures) {
        const report = await finishOne(request.access, capture, reportLoss);
        if (report !== undefined)
            reports.push(report);
    }
    if (!(0,state/* isReported */.Ob)(phase) && reports.length > 0) {
        const notes = ['The step was cancelled or killed. The post step delivered this capture.'];
        const delivered = await (0,deliver/* deliver */.c)({ reports, notes }, { ...request, job: (0,job/* readJob */.c)(process.env), log: log/* jobLog */.W, isPost: true });
        if (delivered?.errorCode === 'E_RESULT_NOT_REPORTED')
            (0,failure/* logErrorCode */.y2)(delivered.errorCode, log/* jobLog */.W);
    }
    await (0,promises_.rm)(pointer.folder, { recursive: true, force: true }).catch((error) => log/* jobLog */.W.warning((0,errors/* messageOf */.bD)(error)));
}
/** A result that neither main nor post reports: the step fails, whatever the inputs say. */
function notReported(text) {
    log/* jobLog */.W.failure(text);
    (0,failure/* logErrorCode */.y2)('E_RESULT_NOT_REPORTED', log/* jobLog */.W);
}
/** A failure of one capture does not prevent the others. `reportLoss` receives its message. */
async function finishOne(access, capture, reportLoss) {
    try {
        const result = await (capture.result
            ? cleanUpLate(access, capture, capture.result)
            : finishCapture(access, capture));
        if (result === undefined)
            return undefined;
        await (0,capture_result/* nameFile */.iC)(result);
        // The packets arrived in another process, at least some of them.
        const outcome = await (0,live_diagnosis/* diagnoseFile */.$6)(result, await (0,live_diagnosis/* loadAnalysis */.lN)());
        const diagnosis = await (0,diagnosis_report/* writeFindings */.Q)(await (0,diagnosis_report/* nameDiagnosis */.T)(outcome, result, undefined), result, log/* jobLog */.W);
        return (0,capture_report/* reportOf */.E)(result, capture, diagnosis);
    }
    catch (error) {
        reportLoss(`The capture of ${(0,methods/* subjectOf */.e)(capture.record)} could not be finished: ${(0,errors/* messageOf */.bD)(error)}`);
        return undefined;
    }
}
/** Of a capture that main fetched: main may have ended before it removed what it created. */
async function cleanUpLate(access, capture, result) {
    const { record } = capture;
    if (!(0,methods/* methodOf */.N)(record).isRemovable || result.cleanup?.unfinished === false)
        return result;
    try {
        return await (0,cleanup/* cleanUpAfter */.Tg)(result, await recorderForRecord(access, capture), log/* jobLog */.W);
    }
    catch (error) {
        return { ...result, cleanup: (0,cleanup/* unreachableCleanup */.Rx)(record, error) };
    }
}
/** Fetches the rest of a capture; undefined where it recorded nothing. */
async function finishCapture(access, state) {
    const { record, imageId } = state;
    let recorder;
    let capture;
    try {
        recorder = await recorderForRecord(access, state, state.isTouched);
        capture = await resume(recorder, imageId);
    }
    catch (error) {
        log/* jobLog */.W.info(`The rest of the capture of ${(0,methods/* subjectOf */.e)(record)} cannot be fetched: ${(0,errors/* messageOf */.bD)(error)}`);
        const result = await (0,capture_capture/* finishFromDisk */.tb)(record, imageId, (0,errors/* messageOf */.bD)(error));
        if (!(0,methods/* methodOf */.N)(record).isRemovable)
            return result;
        return recorder ? (0,cleanup/* cleanUpAfter */.Tg)(result, recorder, log/* jobLog */.W) : { ...result, cleanup: (0,cleanup/* unreachableCleanup */.Rx)(record, error) };
    }
    if (capture === undefined) {
        await (0,cleanup/* cleanUpUnused */.lK)(recorder, log/* jobLog */.W);
        return undefined;
    }
    return stopAndFinish(access, recorder, capture);
}
/** Follows a recorder from where the part file ends; undefined where it recorded nothing. */
async function resume(recorder, imageId) {
    const { record, endpoint } = recorder;
    const state = await endpoint.state();
    if (state.kind === 'waiting') {
        log/* jobLog */.W.info(`The recorder ${record.captureId} has not started; ${(0,methods/* methodOf */.N)(record).unstartedEnd}. Nothing was captured.`);
        return undefined;
    }
    const part = await (0,capture_capture/* openPart */.Qj)(record);
    if (state.kind === 'gone' && !(0,methods/* methodOf */.N)(record).isInsideTarget && part.receivedBytes === 0) {
        log/* jobLog */.W.info(`The recorder ${record.captureId} is not there (${state.reason}). Nothing was captured.`);
        await part.discard();
        return undefined;
    }
    return (0,capture_capture/* followCapture */.Y_)(recorder, part, { imageId, events: (0,capture_events/* logEvents */.E)(record, log/* jobLog */.W), endsAtMs: Date.now() });
}
async function stopAndFinish(access, recorder, capture) {
    capture.stop('cancelled');
    try {
        const result = await capture.finished;
        const checked = (0,capture_result/* applyTargetCheck */.qV)(result, await checkTargetOf(access, capture.record));
        const connection = async () => (await (0,cluster_access/* openCluster */.D)(access, process.env)).connection;
        return await (0,cleanup/* cleanUpAfter */.Tg)(await (0,capture_result/* applyTargetEnd */.z0)(connection, checked), recorder, log/* jobLog */.W);
    }
    catch (error) {
        if (!(error instanceof start_failure/* NothingRecorded */.GV))
            throw error;
        log/* jobLog */.W.info(error.message);
        await (0,cleanup/* cleanUpUnused */.lK)(recorder, log/* jobLog */.W);
        return undefined;
    }
}
/** A capture by SSH is finished without the API server, which is asked only for this. */
async function checkTargetOf(access, record) {
    if (!(0,target_watch/* mustCheckTarget */.PZ)(record))
        return { kind: 'there' };
    try {
        return await (0,target_watch/* checkTarget */.e$)((await (0,cluster_access/* openCluster */.D)(access, process.env)).connection, record);
    }
    catch (error) {
        return { kind: 'unknown', why: (0,errors/* messageOf */.bD)(error) };
    }
}


/***/ })

};
