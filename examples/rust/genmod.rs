//! libgenmod from Rust: declarations of what this module uses, and a safe view of it, std only.
//!
//! A `Context` serves one thread at a time (`Send`, not `Sync`); a `Model` may be asked from any
//! number of threads, each with a context of its own (`Send` and `Sync`; cloning counts). A dataset
//! that borrows a slice cannot outlive it.
use std::any::Any;
use std::ffi::{c_void, CStr, CString};
use std::fmt;
use std::marker::PhantomData;
use std::os::raw::c_char;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr::{null, null_mut};

pub const LABEL: i32 = 2; // a column's role: kept beside the rows, not modelled
pub const E_ARG: i32 = -1;
pub const E_RANGE: i32 = -2;

/// The C declarations, as in include/genmod/.
#[allow(non_camel_case_types)]
mod c {
    use super::*;

    #[repr(C)]
    pub struct gm_array {
        pub struct_size: u32,
        pub dtype: i32,
        pub ndim: i32,
        pub flags: u32,
        pub data: *mut c_void,
        pub shape: [i64; 8],
        pub strides: [i64; 8],
    }

    #[repr(C)]
    pub struct gm_option_info {
        pub struct_size: u32,
        pub kind: i32,
        pub stage: i32,
        pub since: i32,
        pub name: *const c_char,
        pub default_value: *const c_char,
        pub range: *const c_char,
        pub help: *const c_char,
    }

    #[repr(C)]
    pub struct gm_fit_config {
        pub struct_size: u32,
        pub train: *const c_void,
        pub valid: *const c_void,
        pub options: *const c_void,
        pub optimizer: *const c_void,
        pub progress: Option<unsafe extern "C" fn(*mut c_void, *const Progress) -> i32>,
        pub progress_user: *mut c_void,
        pub init: *const c_void,
    }

    #[repr(C)]
    pub struct gm_auto_row {
        pub struct_size: u32,
        pub status: i32,
        pub kind: i32,
        pub chosen: i32,
        pub rung: *const c_char,
        pub family: *const c_char,
        pub options: *const c_char,
        pub why: *const c_char,
        pub mean: f64,
        pub error: f64,
        pub rows: i64,
        pub lost: i64,
        pub seconds: f64,
        pub steps: i64,
        pub horizon: i64,
        pub hold: i64,
        pub refit_rows: i64,
        pub refit_seconds: f64,
        pub refit_why: *const c_char,
    }

    #[repr(C)]
    pub struct gm_auto_config {
        pub struct_size: u32,
        pub rows: *const c_void,
        pub options: *const c_void,
        pub tried: Option<unsafe extern "C" fn(*mut c_void, *const gm_auto_row) -> i32>,
        pub progress: Option<unsafe extern "C" fn(*mut c_void, *const Progress) -> i32>,
        pub user: *mut c_void,
        pub valid: *const c_void,
    }

    pub type status = i32;
    pub type handle = *mut c_void;
    pub type held = *const c_void;
    pub type text = *const c_char;

    #[link(name = "genmod")]
    extern "C" {
        pub fn gm_version() -> text;
        pub fn gm_status_text(code: status) -> text;
        pub fn gm_context_create(config: held, ctx: *mut handle) -> status;
        pub fn gm_context_free(ctx: handle);
        pub fn gm_context_error(ctx: held, to: *mut c_char, size: i64, code: *mut status) -> i64;
        pub fn gm_context_set_text(ctx: handle, name: text, value: text) -> status;
        pub fn gm_options_create(ctx: handle, options: *mut handle) -> status;
        pub fn gm_options_free(options: handle);
        pub fn gm_options_set_int(ctx: handle, o: handle, name: text, value: i64) -> status;
        pub fn gm_options_set_real(ctx: handle, o: handle, name: text, value: f64) -> status;
        pub fn gm_options_set_text(ctx: handle, o: handle, name: text, value: text) -> status;
        pub fn gm_option_at(ctx: handle, owner: text, i: i32, info: *mut gm_option_info) -> status;
        pub fn gm_dataset_from_file(
            ctx: handle, path: text, options: held, data: *mut handle,
        ) -> status;
        pub fn gm_dataset_borrow_array(
            ctx: handle, array: *const gm_array,
            release: Option<unsafe extern "C" fn(*mut c_void)>, user: *mut c_void,
            data: *mut handle,
        ) -> status;
        pub fn gm_dataset_free(data: handle);
        pub fn gm_dataset_row_count(data: held) -> i64;
        pub fn gm_dataset_column_count(data: held) -> i64;
        pub fn gm_dataset_find_column(data: held, name: text) -> i64;
        pub fn gm_dataset_with_role(
            ctx: handle, data: held, column: i64, role: i32, view: *mut handle,
        ) -> status;
        pub fn gm_dataset_split(
            ctx: handle, data: held, fraction: f64, seed: u64, first: *mut handle,
            second: *mut handle,
        ) -> status;
        pub fn gm_optimizer_create(
            ctx: handle, name: text, options: held, optimizer: *mut handle,
        ) -> status;
        pub fn gm_optimizer_free(optimizer: handle);
        pub fn gm_fit_with(
            ctx: handle, family: text, config: *const gm_fit_config, model: *mut handle,
        ) -> status;
        pub fn gm_model_free(model: handle);
        pub fn gm_model_retain(model: handle) -> handle;
        pub fn gm_model_save(ctx: handle, model: held, path: text) -> status;
        pub fn gm_model_load(ctx: handle, path: text, model: *mut handle) -> status;
        pub fn gm_model_column_count(model: held) -> i64;
        pub fn gm_model_log_prob_f64(
            ctx: handle, model: held, x: *const f64, n: i64, row_stride: i64, options: held,
            logp: *mut f64,
        ) -> status;
        pub fn gm_model_log_prob_rows(
            ctx: handle, model: held, rows: held, cond: *const gm_array, options: held,
            logp: *mut f64, error: *mut f64,
        ) -> status;
        pub fn gm_model_sample_f64(
            ctx: handle, model: held, n: i64, cond: *const gm_array, options: held, x: *mut f64,
        ) -> status;
        pub fn gm_model_log_prob_gradient(
            ctx: handle, model: held, x: *const gm_array, cond: *const gm_array, options: held,
            logp: *mut f64, grad: *mut gm_array,
        ) -> status;
        pub fn gm_model_impute(
            ctx: handle, model: held, x: *const gm_array, cond: *const gm_array, options: held,
            y: *mut gm_array,
        ) -> status;
        pub fn gm_model_sample_given(
            ctx: handle, model: held, n: i64, given: *const gm_array, cond: *const gm_array,
            options: held, x: *mut gm_array,
        ) -> status;
        pub fn gm_model_log_prob_given(
            ctx: handle, model: held, x: *const gm_array, known: *const u8, cond: *const gm_array,
            options: held, logp: *mut f64,
        ) -> status;
        pub fn gm_fit_anomaly(
            ctx: handle, family: text, rows: held, options: held, model: *mut handle,
        ) -> status;
        pub fn gm_model_anomaly(
            ctx: handle, model: held, rows: held, calibration: held, options: held,
            score: *mut f64, p_value: *mut f64,
        ) -> status;
        pub fn gm_fit_auto(
            ctx: handle, config: *const gm_auto_config, report: *mut handle, model: *mut handle,
        ) -> status;
        pub fn gm_auto_report_count(report: held) -> i64;
        pub fn gm_auto_report_row(
            ctx: handle, report: held, i: i64, row: *mut gm_auto_row,
        ) -> status;
        pub fn gm_auto_report_free(report: handle);
    }
}

/// How a fit stands.
#[repr(C)]
#[derive(Debug, Clone)]
pub struct Progress {
    struct_size: u32,
    pub done: i32,
    pub step: i64,
    pub steps: i64,
    pub epoch: f64,
    pub loss: f64,
    pub valid: f64,
    pub best: f64,
    pub best_step: i64,
    pub seconds: f64,
    pub seconds_left: f64,
    pub items_per_second: f64,
    pub rate: f64,
    pub recoveries: i64,
    pub evaluated: i32,
}

/// A model that `Model::fit_auto` tried: its held-out log density in nats a row, with the standard
/// error; `why` there is none.
#[derive(Debug, Clone)]
pub struct Tried {
    pub rung: String,
    pub chosen: bool,
    pub mean: f64,
    pub error: f64,
    pub why: String,
}

/// A call that failed: the status code and the library's text.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    pub code: i32,
    pub text: String,
}
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl std::error::Error for Error {}
pub type Result<T> = std::result::Result<T, Error>;

fn own(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn zero_ended(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error { code: E_ARG, text: format!("{text:?} holds a zero") })
}

fn bad(text: String) -> Error {
    Error { code: E_ARG, text }
}

pub fn version() -> String {
    own(unsafe { c::gm_version() })
}

/// One pointer that is freed once.
struct Handle {
    p: *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
}
impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { (self.free)(self.p) }
    }
}

// ---- Context -----------------------------------------------------------------------------------

pub struct Context(Handle);
unsafe impl Send for Context {}

impl Context {
    pub fn new() -> Result<Context> {
        let mut p = null_mut();
        match unsafe { c::gm_context_create(null(), &mut p) } {
            0 => Ok(Context(Handle { p, free: c::gm_context_free })),
            code => Err(Error { code, text: own(unsafe { c::gm_status_text(code) }) }),
        }
    }

    /// A setting by name: ("threads", "2"), ("kernels", "avx2") ...
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        let (name, value) = (zero_ended(name)?, zero_ended(value)?);
        self.check(unsafe { c::gm_context_set_text(self.0.p, name.as_ptr(), value.as_ptr()) })
    }

    /// The options of a family, an optimizer, a call, "fit", "context" or "csv": name, default,
    /// range, help.
    pub fn options(&self, owner: &str) -> Result<Vec<[String; 4]>> {
        let owner = zero_ended(owner)?;
        let mut rows = Vec::new();
        loop {
            let mut row: c::gm_option_info = unsafe { std::mem::zeroed() };
            row.struct_size = std::mem::size_of::<c::gm_option_info>() as u32;
            let i = rows.len() as i32;
            match unsafe { c::gm_option_at(self.0.p, owner.as_ptr(), i, &mut row) } {
                E_RANGE => return Ok(rows),
                code => self.check(code)?,
            }
            rows.push([own(row.name), own(row.default_value), own(row.range), own(row.help)]);
        }
    }

    fn check(&self, code: i32) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        let mut kept = 0;
        let size = unsafe { c::gm_context_error(self.0.p, null_mut(), 0, &mut kept) };
        let mut bytes = vec![0u8; size.max(0) as usize + 1];
        let to = bytes.as_mut_ptr() as *mut c_char;
        unsafe { c::gm_context_error(self.0.p, to, bytes.len() as i64, null_mut()) };
        let text = if kept == code { own(to) } else { own(unsafe { c::gm_status_text(code) }) };
        Err(Error { code, text })
    }

    /// Calls a maker that puts a handle at its last argument.
    fn make(
        &self, free: unsafe extern "C" fn(*mut c_void), call: impl FnOnce(*mut c::handle) -> i32,
    ) -> Result<Handle> {
        let mut p = null_mut();
        self.check(call(&mut p))?;
        Ok(Handle { p, free })
    }
}

// ---- Options -----------------------------------------------------------------------------------

/// What an option may hold; texts do for every type ("64,64", "true").
pub enum Value {
    Int(i64),
    Real(f64),
    Text(String),
}
impl From<i64> for Value {
    fn from(v: i64) -> Value {
        Value::Int(v)
    }
}
impl From<f64> for Value {
    fn from(v: f64) -> Value {
        Value::Real(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Value {
        Value::Text(v.into())
    }
}

pub struct Options(Handle);
unsafe impl Send for Options {}
unsafe impl Sync for Options {}

impl Options {
    pub fn new(ctx: &Context) -> Result<Options> {
        ctx.make(c::gm_options_free, |out| unsafe { c::gm_options_create(ctx.0.p, out) })
            .map(Options)
    }

    pub fn set(self, ctx: &Context, name: &str, value: impl Into<Value>) -> Result<Options> {
        let (p, bag, key) = (ctx.0.p, self.0.p, zero_ended(name)?);
        ctx.check(match value.into() {
            Value::Int(v) => unsafe { c::gm_options_set_int(p, bag, key.as_ptr(), v) },
            Value::Real(v) => unsafe { c::gm_options_set_real(p, bag, key.as_ptr(), v) },
            Value::Text(v) => {
                let v = zero_ended(&v)?;
                unsafe { c::gm_options_set_text(p, bag, key.as_ptr(), v.as_ptr()) }
            }
        })?;
        Ok(self)
    }
}

fn bag(options: Option<&Options>) -> *const c_void {
    options.map_or(null(), |o| o.0.p)
}

// ---- Data --------------------------------------------------------------------------------------

/// An array over a slice of rows of d numbers each;
fn array(p: *mut c_void, len: usize, d: usize, flags: u32) -> Result<c::gm_array> {
    if d == 0 || len % d != 0 {
        return Err(bad(format!("{len} numbers are no rows of {d}")));
    }
    let mut array: c::gm_array = unsafe { std::mem::zeroed() };
    array.struct_size = std::mem::size_of::<c::gm_array>() as u32;
    array.dtype = 2; // GM_F64
    array.ndim = 2;
    array.flags = flags;
    array.data = p;
    (array.shape[0], array.shape[1]) = ((len / d) as i64, d as i64);
    (array.strides[0], array.strides[1]) = (d as i64, 1);
    Ok(array)
}
fn view(x: &[f64], d: usize) -> Result<c::gm_array> {
    array(x.as_ptr() as *mut c_void, x.len(), d, 1) // GM_ARRAY_READ_ONLY
}
fn output(x: &mut [f64], d: usize) -> Result<c::gm_array> {
    array(x.as_mut_ptr() as *mut c_void, x.len(), d, 0)
}

/// Rows of data; those of a slice are read in place.
pub struct Dataset<'a>(Handle, PhantomData<&'a [f64]>);
unsafe impl Send for Dataset<'_> {}
unsafe impl Sync for Dataset<'_> {}

impl<'a> Dataset<'a> {
    fn made(handle: Handle) -> Dataset<'a> {
        Dataset(handle, PhantomData)
    }

    pub fn from_file(ctx: &Context, path: &str, options: Option<&Options>) -> Result<Dataset<'a>> {
        let path = zero_ended(path)?;
        ctx.make(c::gm_dataset_free, |out| unsafe {
            c::gm_dataset_from_file(ctx.0.p, path.as_ptr(), bag(options), out)
        })
        .map(Dataset::made)
    }

    /// Rows of d numbers each, in place.
    pub fn borrow(ctx: &Context, x: &'a [f64], d: usize) -> Result<Dataset<'a>> {
        let array = view(x, d)?;
        ctx.make(c::gm_dataset_free, |out| unsafe {
            c::gm_dataset_borrow_array(ctx.0.p, &array, None, null_mut(), out)
        })
        .map(Dataset::made)
    }

    pub fn rows(&self) -> usize {
        unsafe { c::gm_dataset_row_count(self.0.p) as usize }
    }

    pub fn columns(&self) -> usize {
        unsafe { c::gm_dataset_column_count(self.0.p) as usize }
    }

    pub fn with_role(&self, ctx: &Context, column: &str, role: i32) -> Result<Dataset<'a>> {
        let name = zero_ended(column)?;
        ctx.make(c::gm_dataset_free, |out| unsafe {
            let column = c::gm_dataset_find_column(self.0.p, name.as_ptr());
            c::gm_dataset_with_role(ctx.0.p, self.0.p, column, role, out)
        })
        .map(Dataset::made)
    }

    /// The rest, and the fraction that the seed draws.
    pub fn split(
        &self, ctx: &Context, fraction: f64, seed: u64,
    ) -> Result<(Dataset<'a>, Dataset<'a>)> {
        let mut second = null_mut();
        let first = ctx.make(c::gm_dataset_free, |out| unsafe {
            c::gm_dataset_split(ctx.0.p, self.0.p, fraction, seed, out, &mut second)
        })?;
        let second = Handle { p: second, free: c::gm_dataset_free };
        Ok((Dataset::made(first), Dataset::made(second)))
    }
}

// ---- Fitting and asking ------------------------------------------------------------------------

pub struct Optimizer(Handle);

impl Optimizer {
    pub fn new(ctx: &Context, name: &str, options: Option<&Options>) -> Result<Optimizer> {
        let name = zero_ended(name)?;
        ctx.make(c::gm_optimizer_free, |out| unsafe {
            c::gm_optimizer_create(ctx.0.p, name.as_ptr(), bag(options), out)
        })
        .map(Optimizer)
    }
}

pub struct Model(Handle);
unsafe impl Send for Model {}
unsafe impl Sync for Model {}

impl Clone for Model {
    fn clone(&self) -> Model {
        Model(Handle { p: unsafe { c::gm_model_retain(self.0.p) }, free: c::gm_model_free })
    }
}

/// The caller's progress function, and what it panicked with: nothing may unwind through C.
struct Relay<'a> {
    tell: &'a mut dyn FnMut(&Progress) -> bool,
    panic: Option<Box<dyn Any + Send>>,
}

unsafe extern "C" fn relay(user: *mut c_void, progress: *const Progress) -> i32 {
    let r = &mut *(user as *mut Relay);
    match catch_unwind(AssertUnwindSafe(|| (r.tell)(&*progress))) {
        Ok(go_on) => !go_on as i32,
        Err(panic) => {
            r.panic = Some(panic);
            1
        }
    }
}

impl Model {
    /// Fits a family to rows; `tell` hears now and then how it stands, and stops it with false.
    pub fn fit(
        ctx: &Context, family: &str, rows: &Dataset, options: &Options,
        optimizer: Option<&Optimizer>, mut tell: impl FnMut(&Progress) -> bool,
    ) -> Result<Model> {
        let family = zero_ended(family)?;
        let mut r = Relay { tell: &mut tell, panic: None };
        let config = c::gm_fit_config {
            struct_size: std::mem::size_of::<c::gm_fit_config>() as u32,
            train: rows.0.p,
            valid: null(),
            options: options.0.p,
            optimizer: optimizer.map_or(null(), |o| o.0.p),
            progress: Some(relay),
            progress_user: &mut r as *mut Relay as *mut c_void,
            init: null(),
        };
        let made = ctx.make(c::gm_model_free, |out| unsafe {
            c::gm_fit_with(ctx.0.p, family.as_ptr(), &config, out)
        });
        if let Some(panic) = r.panic {
            resume_unwind(panic);
        }
        made.map(Model)
    }

    /// Fits a family for finding anomalies among rows that may hold some already; the options are
    /// those of "anomaly" and of the fit.
    pub fn fit_anomaly(
        ctx: &Context, family: &str, rows: &Dataset, options: &Options,
    ) -> Result<Model> {
        let family = zero_ended(family)?;
        ctx.make(c::gm_model_free, |out| unsafe {
            c::gm_fit_anomaly(ctx.0.p, family.as_ptr(), rows.0.p, options.0.p, out)
        })
        .map(Model)
    }

    /// The best of a ladder of families, and what was tried; the options are those of "auto".
    pub fn fit_auto(
        ctx: &Context, rows: &Dataset, options: &Options,
    ) -> Result<(Model, Vec<Tried>)> {
        let mut config: c::gm_auto_config = unsafe { std::mem::zeroed() };
        config.struct_size = std::mem::size_of::<c::gm_auto_config>() as u32;
        (config.rows, config.options) = (rows.0.p, options.0.p);
        let mut report = null_mut();
        let best = ctx.make(c::gm_model_free, |out| unsafe {
            c::gm_fit_auto(ctx.0.p, &config, &mut report, out)
        })?;
        let report = Handle { p: report, free: c::gm_auto_report_free };
        let mut tried = Vec::new();
        for i in 0..unsafe { c::gm_auto_report_count(report.p) } {
            let mut row: c::gm_auto_row = unsafe { std::mem::zeroed() };
            row.struct_size = std::mem::size_of::<c::gm_auto_row>() as u32;
            ctx.check(unsafe { c::gm_auto_report_row(ctx.0.p, report.p, i, &mut row) })?;
            let (rung, why) = (own(row.rung), own(row.why));
            let (chosen, mean, error) = (row.chosen != 0, row.mean, row.error);
            tried.push(Tried { rung, chosen, mean, error, why });
        }
        Ok((Model(best), tried))
    }

    pub fn load(ctx: &Context, path: &str) -> Result<Model> {
        let path = zero_ended(path)?;
        ctx.make(c::gm_model_free, |out| unsafe {
            c::gm_model_load(ctx.0.p, path.as_ptr(), out)
        })
        .map(Model)
    }

    pub fn save(&self, ctx: &Context, path: &str) -> Result<()> {
        let path = zero_ended(path)?;
        ctx.check(unsafe { c::gm_model_save(ctx.0.p, self.0.p, path.as_ptr()) })
    }

    pub fn columns(&self) -> usize {
        unsafe { c::gm_model_column_count(self.0.p) as usize }
    }

    /// log p of each row in nats.
    pub fn log_prob(&self, ctx: &Context, x: &[f64], how: Option<&Options>) -> Result<Vec<f64>> {
        let d = self.columns();
        if x.len() % d != 0 {
            return Err(bad(format!("{} numbers are no rows of {d}", x.len())));
        }
        let mut logp = vec![0.0; x.len() / d];
        let (n, stride) = (logp.len() as i64, d as i64);
        let to = logp.as_mut_ptr();
        ctx.check(unsafe {
            c::gm_model_log_prob_f64(ctx.0.p, self.0.p, x.as_ptr(), n, stride, bag(how), to)
        })?;
        Ok(logp)
    }

    pub fn log_prob_rows(
        &self, ctx: &Context, rows: &Dataset, how: Option<&Options>,
    ) -> Result<Vec<f64>> {
        let mut logp = vec![0.0; rows.rows()];
        let to = logp.as_mut_ptr();
        ctx.check(unsafe {
            c::gm_model_log_prob_rows(
                ctx.0.p, self.0.p, rows.0.p, null(), bag(how), to, null_mut(),
            )
        })?;
        Ok(logp)
    }

    /// n rows, one after the other; the options hold the seed.
    pub fn sample(&self, ctx: &Context, n: usize, how: &Options) -> Result<Vec<f64>> {
        let mut x = vec![0.0; n * self.columns()];
        let to = x.as_mut_ptr();
        ctx.check(unsafe {
            c::gm_model_sample_f64(ctx.0.p, self.0.p, n as i64, null(), how.0.p, to)
        })?;
        Ok(x)
    }

    /// log p of each row, and its gradient in x.
    pub fn log_prob_gradient(
        &self, ctx: &Context, x: &[f64], how: Option<&Options>,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let (d, rows) = (self.columns(), view(x, self.columns())?);
        let (mut logp, mut grad) = (vec![0.0; x.len() / d], vec![0.0; x.len()]);
        let mut to = output(&mut grad, d)?;
        let to_logp = logp.as_mut_ptr();
        ctx.check(unsafe {
            c::gm_model_log_prob_gradient(
                ctx.0.p, self.0.p, &rows, null(), bag(how), to_logp, &mut to,
            )
        })?;
        Ok((logp, grad))
    }

    /// log p of the columns that are not known, given those that are: known[j] is true.
    pub fn log_prob_given(
        &self, ctx: &Context, x: &[f64], known: &[bool], how: Option<&Options>,
    ) -> Result<Vec<f64>> {
        let (d, rows) = (self.columns(), view(x, self.columns())?);
        if known.len() != d {
            return Err(bad(format!("known has {} values, the model {d} columns", known.len())));
        }
        let known: Vec<u8> = known.iter().map(|&k| k as u8).collect();
        let mut logp = vec![0.0; x.len() / d];
        let (known, to) = (known.as_ptr(), logp.as_mut_ptr());
        ctx.check(unsafe {
            c::gm_model_log_prob_given(ctx.0.p, self.0.p, &rows, known, null(), bag(how), to)
        })?;
        Ok(logp)
    }

    /// Rows with their NaNs filled in: by draws, or as the option "how" says.
    pub fn impute(&self, ctx: &Context, x: &[f64], how: &Options) -> Result<Vec<f64>> {
        let (rows, mut y) = (view(x, self.columns())?, vec![0.0; x.len()]);
        let mut to = output(&mut y, self.columns())?;
        ctx.check(unsafe {
            c::gm_model_impute(ctx.0.p, self.0.p, &rows, null(), how.0.p, &mut to)
        })?;
        Ok(y)
    }

    /// n rows with columns given, one row or n; NaN stands where a column is to be drawn.
    pub fn sample_given(
        &self, ctx: &Context, n: usize, given: &[f64], how: &Options,
    ) -> Result<Vec<f64>> {
        let (rows, mut x) = (view(given, self.columns())?, vec![0.0; n * self.columns()]);
        let mut to = output(&mut x, self.columns())?;
        ctx.check(unsafe {
            c::gm_model_sample_given(
                ctx.0.p, self.0.p, n as i64, &rows, null(), how.0.p, &mut to,
            )
        })?;
        Ok(x)
    }

    /// -log p of each row, and its p-value: by the rows that `fit_anomaly` laid aside, unless
    /// others are given.
    pub fn anomaly(
        &self, ctx: &Context, rows: &Dataset, calibration: Option<&Dataset>,
        how: Option<&Options>,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let (mut score, mut p) = (vec![0.0; rows.rows()], vec![0.0; rows.rows()]);
        let (by, to, to_p) = (
            calibration.map_or(null_mut(), |c| c.0.p),
            score.as_mut_ptr(),
            p.as_mut_ptr(),
        );
        ctx.check(unsafe {
            c::gm_model_anomaly(ctx.0.p, self.0.p, rows.0.p, by, bag(how), to, to_p)
        })?;
        Ok((score, p))
    }
}
