/* Notifications of services, received on a worker thread.

   NotifyServiceStatusChangeW notifies with an APC: Windows calls back on the thread that registered,
   only while that thread waits alertably, and owns the buffer until then. Therefore a worker thread,
   which does nothing else, registers and closes, and the buffers are on the heap. A notification is
   added to the list of a waiter, whose event wakes the waiting thread. No Python code runs here.

   The worker starts with the first registration and ends with the last waiter. */

typedef struct winsvc_waiter winsvc_waiter;
typedef winsvc_waiter *WINSVC_WAITER;

typedef struct winsvc_registration {
    SERVICE_NOTIFY_2W notify; /* first: the callback receives its address */
    SC_HANDLE handle;
    winsvc_waiter *waiter;                      /* NULL: abandoned */
    PSC_NOTIFICATION_REGISTRATION subscription; /* NULL: by NotifyServiceStatusChangeW */
    BOOL subscribed;
    BOOL pending; /* Windows owns the buffer */
    BOOL ready;   /* in the waiter's list of notifications */
    ULONGLONG abandoned_at;
    struct winsvc_registration *next;       /* in the waiter's list, or among the abandoned */
    struct winsvc_registration *next_ready; /* in the order of the notifications */
} winsvc_registration;

struct winsvc_waiter {
    HANDLE event; /* auto-reset */
    winsvc_registration *registrations;
    winsvc_registration *notified;
};

typedef struct winsvc_request {
    SC_HANDLE handle;
    winsvc_registration *registration; /* NULL: close the handle */
    DWORD mask;
    DWORD result;
    BOOL done;
    struct winsvc_request *next;
} winsvc_request;

typedef struct {
    HANDLE thread;
    BOOL stopping;
    winsvc_request *requests;
} winsvc_worker;

/* Guards all of the following, and is not held during calls that may block. */
static SRWLOCK winsvc_lock = SRWLOCK_INIT;
static CONDITION_VARIABLE winsvc_request_done = CONDITION_VARIABLE_INIT;
static winsvc_worker *winsvc_current_worker;
static winsvc_registration *winsvc_abandoned;
static DWORD winsvc_waiter_count, winsvc_worker_count, winsvc_registration_count;

static void winsvc_drop_names(winsvc_registration *registration)
{
    if (registration->notify.pszServiceNames != NULL)
        LocalFree(registration->notify.pszServiceNames);
    registration->notify.pszServiceNames = NULL;
}

static void winsvc_free_registration(winsvc_registration *registration)
{
    winsvc_drop_names(registration);
    HeapFree(GetProcessHeap(), 0, registration);
}

/* Locked. */
static void winsvc_notify(winsvc_registration *registration)
{
    winsvc_registration **end = &registration->waiter->notified;

    if (!registration->ready) {
        while (*end != NULL)
            end = &(*end)->next_ready;
        registration->ready = TRUE;
        registration->next_ready = NULL;
        *end = registration;
    }
    SetEvent(registration->waiter->event);
}

/* PFN_SC_NOTIFY_CALLBACK, on the worker thread */
static VOID CALLBACK winsvc_on_notify(PVOID buffer)
{
    winsvc_registration *registration = (winsvc_registration *)buffer;

    AcquireSRWLockExclusive(&winsvc_lock);
    registration->pending = FALSE;
    if (registration->waiter != NULL)
        winsvc_notify(registration);
    else
        winsvc_drop_names(registration);
    ReleaseSRWLockExclusive(&winsvc_lock);
}

/* PSC_NOTIFICATION_CALLBACK, on a thread of Windows */
static VOID CALLBACK winsvc_on_change(DWORD notify, PVOID context)
{
    winsvc_registration *registration = (winsvc_registration *)context;

    (void)notify;
    AcquireSRWLockExclusive(&winsvc_lock);
    if (registration->waiter != NULL)
        winsvc_notify(registration);
    ReleaseSRWLockExclusive(&winsvc_lock);
}

static VOID CALLBACK winsvc_wake_worker(ULONG_PTR unused)
{
    (void)unused; /* the call itself ends the thread's sleep */
}

static void winsvc_process(winsvc_request *request)
{
    winsvc_registration *registration = request->registration;

    if (registration != NULL) {
        request->result =
            NotifyServiceStatusChangeW(request->handle, request->mask, &registration->notify);
        return;
    }
    request->result = CloseServiceHandle(request->handle) ? ERROR_SUCCESS : GetLastError();
    /* Run a queued APC of this handle while the buffer exists. */
    SleepEx(0, TRUE);
}

static DWORD WINAPI winsvc_work(LPVOID parameter)
{
    winsvc_worker *worker = (winsvc_worker *)parameter;

    for (;;) {
        winsvc_request *request;
        BOOL stopping;

        AcquireSRWLockExclusive(&winsvc_lock);
        stopping = worker->stopping;
        request = worker->requests;
        if (request != NULL)
            worker->requests = request->next;
        ReleaseSRWLockExclusive(&winsvc_lock);
        if (request != NULL) {
            winsvc_process(request);
            AcquireSRWLockExclusive(&winsvc_lock);
            request->done = TRUE;
            ReleaseSRWLockExclusive(&winsvc_lock);
            WakeAllConditionVariable(&winsvc_request_done);
        } else if (stopping) {
            break;
        } else {
            /* A new request queues an APC, which ends the sleep. */
            SleepEx(INFINITE, TRUE);
        }
    }
    CloseHandle(worker->thread);
    HeapFree(GetProcessHeap(), 0, worker);
    AcquireSRWLockExclusive(&winsvc_lock);
    winsvc_worker_count--;
    ReleaseSRWLockExclusive(&winsvc_lock);
    return 0;
}

/* Locked. NULL, with the last error set, if the thread cannot be created. */
static winsvc_worker *winsvc_need_worker(void)
{
    winsvc_worker *worker = winsvc_current_worker;

    if (worker != NULL)
        return worker;
    worker = (winsvc_worker *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*worker));
    if (worker == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    worker->thread = CreateThread(NULL, 0, winsvc_work, worker, 0, NULL);
    if (worker->thread == NULL) {
        DWORD error = GetLastError();

        HeapFree(GetProcessHeap(), 0, worker);
        SetLastError(error);
        return NULL;
    }
    winsvc_worker_count++;
    winsvc_current_worker = worker;
    return worker;
}

/* Locked at the call and at the return, unlocked in between. */
static DWORD winsvc_send_request(winsvc_worker *worker, winsvc_request *request)
{
    winsvc_request **end = &worker->requests;

    while (*end != NULL)
        end = &(*end)->next;
    *end = request;
    QueueUserAPC(winsvc_wake_worker, worker->thread, 0);
    while (!request->done)
        SleepConditionVariableSRW(&winsvc_request_done, &winsvc_lock, INFINITE, 0);
    return request->result;
}

/* Locked. */
static winsvc_registration **winsvc_find_link(winsvc_waiter *waiter, SC_HANDLE handle,
                                             BOOL subscribed)
{
    winsvc_registration **place = &waiter->registrations;

    while (*place != NULL && ((*place)->handle != handle || (*place)->subscribed != subscribed))
        place = &(*place)->next;
    return place;
}

/* Locked. NULL if memory is exhausted. */
static winsvc_registration *winsvc_new_registration(winsvc_waiter *waiter, SC_HANDLE handle,
                                                    BOOL subscribed)
{
    winsvc_registration *registration = (winsvc_registration *)HeapAlloc(
        GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*registration));

    if (registration != NULL) {
        registration->notify.dwVersion = SERVICE_NOTIFY_STATUS_CHANGE;
        registration->notify.pfnNotifyCallback = winsvc_on_notify;
        registration->notify.pContext = registration;
        registration->handle = handle;
        registration->waiter = waiter;
        registration->subscribed = subscribed;
        registration->next = waiter->registrations;
        waiter->registrations = registration;
        winsvc_registration_count++;
    }
    return registration;
}

/* Locked. Remove a registration from the waiter's lists: it is not notified any more. */
static winsvc_registration *winsvc_unlink(winsvc_registration **place)
{
    winsvc_registration *registration = *place;
    winsvc_registration **notified = &registration->waiter->notified;

    *place = registration->next;
    while (*notified != NULL && *notified != registration)
        notified = &(*notified)->next_ready;
    if (*notified != NULL)
        *notified = registration->next_ready;
    registration->waiter = NULL;
    winsvc_registration_count--;
    return registration;
}

/* Locked. Windows does not use the buffer of a closed handle. Wine may still write to it and call
   back afterwards: therefore a pending registration is kept for 30 seconds. */
static void winsvc_discard(winsvc_registration *registration)
{
    winsvc_registration **place = &winsvc_abandoned;
    ULONGLONG now = GetTickCount64();

    while (*place != NULL) {
        winsvc_registration *old = *place;

        if (now - old->abandoned_at < 30000) {
            place = &old->next;
        } else {
            *place = old->next;
            winsvc_free_registration(old);
        }
    }
    if (!registration->pending) {
        winsvc_free_registration(registration);
        return;
    }
    registration->abandoned_at = now;
    registration->next = winsvc_abandoned;
    winsvc_abandoned = registration;
}

static winsvc_waiter *winsvc_open_waiter(void)
{
    winsvc_waiter *waiter =
        (winsvc_waiter *)HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*waiter));

    if (waiter == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    waiter->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (waiter->event == NULL) {
        DWORD error = GetLastError();

        HeapFree(GetProcessHeap(), 0, waiter);
        SetLastError(error);
        return NULL;
    }
    AcquireSRWLockExclusive(&winsvc_lock);
    winsvc_waiter_count++;
    ReleaseSRWLockExclusive(&winsvc_lock);
    return waiter;
}

static DWORD winsvc_arm(winsvc_waiter *waiter, SC_HANDLE handle, DWORD mask)
{
    winsvc_request request = {0};
    winsvc_registration *registration;
    winsvc_worker *worker;
    DWORD result;

    AcquireSRWLockExclusive(&winsvc_lock);
    worker = winsvc_need_worker();
    registration = *winsvc_find_link(waiter, handle, FALSE);
    if (worker == NULL) {
        result = GetLastError();
    } else if (registration != NULL && (registration->pending || registration->ready)) {
        result = ERROR_ALREADY_REGISTERED;
    } else if (registration == NULL &&
               (registration = winsvc_new_registration(waiter, handle, FALSE)) == NULL) {
        result = ERROR_NOT_ENOUGH_MEMORY;
    } else {
        registration->pending = TRUE;
        request.handle = handle;
        request.registration = registration;
        request.mask = mask;
        result = winsvc_send_request(worker, &request);
        if (result != ERROR_SUCCESS) {
            registration->pending = FALSE;
            winsvc_discard(winsvc_unlink(winsvc_find_link(waiter, handle, FALSE)));
        }
    }
    ReleaseSRWLockExclusive(&winsvc_lock);
    return result;
}

static DWORD winsvc_subscribe(winsvc_waiter *waiter, SC_HANDLE handle)
{
    winsvc_registration *registration;
    DWORD result;

    AcquireSRWLockExclusive(&winsvc_lock);
    registration = winsvc_new_registration(waiter, handle, TRUE);
    ReleaseSRWLockExclusive(&winsvc_lock);
    if (registration == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    result = SubscribeServiceChangeNotifications(handle, SC_EVENT_PROPERTY_CHANGE,
                                                 winsvc_on_change, registration,
                                                 &registration->subscription);
    if (result != ERROR_SUCCESS) {
        AcquireSRWLockExclusive(&winsvc_lock);
        winsvc_discard(winsvc_unlink(winsvc_find_link(waiter, handle, TRUE)));
        ReleaseSRWLockExclusive(&winsvc_lock);
    }
    return result;
}

static DWORD winsvc_disarm(winsvc_waiter *waiter, SC_HANDLE handle)
{
    winsvc_request request = {0};
    winsvc_registration *changes = NULL, *states = NULL;
    winsvc_registration **place;
    BOOL pending = FALSE;
    DWORD result;

    AcquireSRWLockExclusive(&winsvc_lock);
    place = winsvc_find_link(waiter, handle, TRUE);
    if (*place != NULL)
        changes = winsvc_unlink(place);
    place = winsvc_find_link(waiter, handle, FALSE);
    if (*place != NULL) {
        states = winsvc_unlink(place);
        pending = states->pending;
    }
    ReleaseSRWLockExclusive(&winsvc_lock);
    if (changes != NULL) {
        UnsubscribeServiceChangeNotifications(changes->subscription); /* waits for its callback */
        winsvc_free_registration(changes);
    }
    if (pending) {
        AcquireSRWLockExclusive(&winsvc_lock);
        request.handle = handle;
        result = winsvc_send_request(winsvc_current_worker, &request);
        winsvc_discard(states);
        ReleaseSRWLockExclusive(&winsvc_lock);
        return result;
    }
    /* Windows does not own a buffer: any thread may close the handle. */
    if (states != NULL)
        winsvc_free_registration(states);
    return CloseServiceHandle(handle) ? ERROR_SUCCESS : GetLastError();
}

static void winsvc_close_waiter(winsvc_waiter *waiter)
{
    while (waiter->registrations != NULL)
        winsvc_disarm(waiter, waiter->registrations->handle);
    AcquireSRWLockExclusive(&winsvc_lock);
    if (--winsvc_waiter_count == 0 && winsvc_current_worker != NULL) {
        winsvc_current_worker->stopping = TRUE;
        QueueUserAPC(winsvc_wake_worker, winsvc_current_worker->thread, 0);
        winsvc_current_worker = NULL; /* it ends and frees itself */
    }
    ReleaseSRWLockExclusive(&winsvc_lock);
    CloseHandle(waiter->event);
    HeapFree(GetProcessHeap(), 0, waiter);
}

static DWORD winsvc_wait(winsvc_waiter *waiter, DWORD milliseconds)
{
    return WaitForSingleObject(waiter->event, milliseconds);
}

static BOOL winsvc_take(winsvc_waiter *waiter, SC_HANDLE *handle, SERVICE_NOTIFY_2W *notify)
{
    winsvc_registration *registration;

    AcquireSRWLockExclusive(&winsvc_lock);
    registration = waiter->notified;
    if (registration != NULL) {
        waiter->notified = registration->next_ready;
        registration->ready = FALSE;
        *handle = registration->handle;
        *notify = registration->notify;
        registration->notify.pszServiceNames = NULL; /* the caller owns them now */
    }
    ReleaseSRWLockExclusive(&winsvc_lock);
    return registration != NULL;
}

static void winsvc_wake(winsvc_waiter *waiter)
{
    SetEvent(waiter->event);
}

static void winsvc_count(DWORD *waiters, DWORD *registrations, DWORD *threads)
{
    AcquireSRWLockExclusive(&winsvc_lock);
    *waiters = winsvc_waiter_count;
    *registrations = winsvc_registration_count;
    *threads = winsvc_worker_count;
    ReleaseSRWLockExclusive(&winsvc_lock);
}
