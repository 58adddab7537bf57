/* Notifications of services, received on a thread of ours.

   NotifyServiceStatusChangeW tells by an APC: a call on the thread that registered, made only while
   that waits alertably, into a buffer that belongs to Windows until then. So a thread that does
   nothing else registers and closes, and the buffers are on the heap. What it is told goes into
   the list of a waiter, whose event wakes whoever waits for it. No Python runs here.

   The thread begins with the first registration and ends with the last waiter. */

typedef struct winsvc_waiter winsvc_waiter;
typedef winsvc_waiter *WINSVC_WAITER;

typedef struct winsvc_registration {
    SERVICE_NOTIFY_2W notify; /* first: its address is all that the callback is given */
    SC_HANDLE handle;
    winsvc_waiter *waiter;                      /* NULL: nobody wants to know any more */
    PSC_NOTIFICATION_REGISTRATION subscription; /* NULL: by NotifyServiceStatusChangeW */
    BOOL subscribed;
    BOOL pending; /* the buffer is Windows' */
    BOOL told;    /* in the waiter's list of news */
    ULONGLONG given_up;
    struct winsvc_registration *next;      /* of the waiter's, or of those given up */
    struct winsvc_registration *next_told; /* in the order in which they were told */
} winsvc_registration;

struct winsvc_waiter {
    HANDLE event; /* resets itself */
    winsvc_registration *registrations;
    winsvc_registration *news;
};

typedef struct winsvc_request {
    SC_HANDLE handle;
    winsvc_registration *registration; /* NULL: the handle is to be closed */
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

/* It guards all that follows, and is never held across a call that may take its time. */
static SRWLOCK winsvc_lock = SRWLOCK_INIT;
static CONDITION_VARIABLE winsvc_request_done = CONDITION_VARIABLE_INIT;
static winsvc_worker *winsvc_current_worker;
static winsvc_registration *winsvc_given_up;
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
static void winsvc_tell(winsvc_registration *registration)
{
    winsvc_registration **end = &registration->waiter->news;

    if (!registration->told) {
        while (*end != NULL)
            end = &(*end)->next_told;
        registration->told = TRUE;
        registration->next_told = NULL;
        *end = registration;
    }
    SetEvent(registration->waiter->event);
}

/* PFN_SC_NOTIFY_CALLBACK, on our thread */
static VOID CALLBACK winsvc_on_notify(PVOID buffer)
{
    winsvc_registration *registration = (winsvc_registration *)buffer;

    AcquireSRWLockExclusive(&winsvc_lock);
    registration->pending = FALSE;
    if (registration->waiter != NULL)
        winsvc_tell(registration);
    else
        winsvc_drop_names(registration);
    ReleaseSRWLockExclusive(&winsvc_lock);
}

/* PSC_NOTIFICATION_CALLBACK, on a thread of Windows' */
static VOID CALLBACK winsvc_on_change(DWORD notify, PVOID context)
{
    winsvc_registration *registration = (winsvc_registration *)context;

    (void)notify;
    AcquireSRWLockExclusive(&winsvc_lock);
    if (registration->waiter != NULL)
        winsvc_tell(registration);
    ReleaseSRWLockExclusive(&winsvc_lock);
}

static VOID CALLBACK winsvc_look_up(ULONG_PTR unused)
{
    (void)unused; /* to be called has ended the thread's sleep */
}

static void winsvc_carry_out(winsvc_request *request)
{
    winsvc_registration *registration = request->registration;

    if (registration != NULL) {
        request->result =
            NotifyServiceStatusChangeW(request->handle, request->mask, &registration->notify);
        return;
    }
    request->result = CloseServiceHandle(request->handle) ? ERROR_SUCCESS : GetLastError();
    /* What was on its way for this handle arrives here, while the buffer is still there. */
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
            winsvc_carry_out(request);
            AcquireSRWLockExclusive(&winsvc_lock);
            request->done = TRUE;
            ReleaseSRWLockExclusive(&winsvc_lock);
            WakeAllConditionVariable(&winsvc_request_done);
        } else if (stopping) {
            break;
        } else {
            /* A request that has come since brings an APC, which ends this at once. */
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

/* Locked. NULL, with the last error, where no thread can be made. */
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

/* Locked, but not meanwhile. */
static DWORD winsvc_ask(winsvc_worker *worker, winsvc_request *request)
{
    winsvc_request **end = &worker->requests;

    while (*end != NULL)
        end = &(*end)->next;
    *end = request;
    QueueUserAPC(winsvc_look_up, worker->thread, 0);
    while (!request->done)
        SleepConditionVariableSRW(&winsvc_request_done, &winsvc_lock, INFINITE, 0);
    return request->result;
}

/* Locked. */
static winsvc_registration **winsvc_place_of(winsvc_waiter *waiter, SC_HANDLE handle,
                                             BOOL subscribed)
{
    winsvc_registration **place = &waiter->registrations;

    while (*place != NULL && ((*place)->handle != handle || (*place)->subscribed != subscribed))
        place = &(*place)->next;
    return place;
}

/* Locked. NULL where there is no memory. */
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

/* Locked. Out of the waiter's lists: it is told nothing more. */
static winsvc_registration *winsvc_take_out(winsvc_registration **place)
{
    winsvc_registration *registration = *place;
    winsvc_registration **news = &registration->waiter->news;

    *place = registration->next;
    while (*news != NULL && *news != registration)
        news = &(*news)->next_told;
    if (*news != NULL)
        *news = registration->next_told;
    registration->waiter = NULL;
    winsvc_registration_count--;
    return registration;
}

/* Locked. A handle that is closed tells nothing more, says Windows. Wine may be writing to the
   buffer just then, and calls afterwards: so one that was pending is kept for a while. */
static void winsvc_discard(winsvc_registration *registration)
{
    winsvc_registration **place = &winsvc_given_up;
    ULONGLONG now = GetTickCount64();

    while (*place != NULL) {
        winsvc_registration *old = *place;

        if (now - old->given_up < 30000) {
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
    registration->given_up = now;
    registration->next = winsvc_given_up;
    winsvc_given_up = registration;
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
    registration = *winsvc_place_of(waiter, handle, FALSE);
    if (worker == NULL) {
        result = GetLastError();
    } else if (registration != NULL && (registration->pending || registration->told)) {
        result = ERROR_ALREADY_REGISTERED;
    } else if (registration == NULL &&
               (registration = winsvc_new_registration(waiter, handle, FALSE)) == NULL) {
        result = ERROR_NOT_ENOUGH_MEMORY;
    } else {
        registration->pending = TRUE;
        request.handle = handle;
        request.registration = registration;
        request.mask = mask;
        result = winsvc_ask(worker, &request);
        if (result != ERROR_SUCCESS) {
            registration->pending = FALSE;
            winsvc_discard(winsvc_take_out(winsvc_place_of(waiter, handle, FALSE)));
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
        winsvc_discard(winsvc_take_out(winsvc_place_of(waiter, handle, TRUE)));
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
    place = winsvc_place_of(waiter, handle, TRUE);
    if (*place != NULL)
        changes = winsvc_take_out(place);
    place = winsvc_place_of(waiter, handle, FALSE);
    if (*place != NULL) {
        states = winsvc_take_out(place);
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
        result = winsvc_ask(winsvc_current_worker, &request);
        winsvc_discard(states);
        ReleaseSRWLockExclusive(&winsvc_lock);
        return result;
    }
    /* The buffer is ours already, or never was Windows': any thread will do. */
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
        QueueUserAPC(winsvc_look_up, winsvc_current_worker->thread, 0);
        winsvc_current_worker = NULL; /* it ends by itself: nobody has to wait for it */
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
    registration = waiter->news;
    if (registration != NULL) {
        waiter->news = registration->next_told;
        registration->told = FALSE;
        *handle = registration->handle;
        *notify = registration->notify;
        registration->notify.pszServiceNames = NULL; /* the caller's from now on */
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
