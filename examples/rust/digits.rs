//! Learns the handwritten digits of examples/data/digits.csv, scores digits that it has not seen,
//! and draws a few of its own. Then two columns that lean on each other, and what their density
//! answers beside.
//!
//!     rustc -O -L build examples/rust/digits.rs -o build/digits-rust
//!     LD_LIBRARY_PATH=build build/digits-rust [digits.csv]
mod genmod;
use genmod::{Context, Dataset, Error, Model, Optimizer, Options};

fn check(right: bool, what: &str) -> Result<(), Error> {
    match right {
        true => Ok(()),
        false => Err(Error { code: 0, text: format!("wrong: {what}") }),
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn draw(digits: &[f64]) {
    let ink = b" .:-=+*#%@";
    for y in 0..8 {
        for digit in digits.chunks(64) {
            for pixel in &digit[8 * y..8 * y + 8] {
                print!("{}", ink[(pixel.clamp(0.0, 16.0) * 9.0 / 16.0) as usize] as char);
            }
            print!("   ");
        }
        println!();
    }
}

fn run(path: &str) -> Result<(), Error> {
    let ctx = Context::new()?;
    let (train, test) = Dataset::from_file(&ctx, path, None)?
        .with_role(&ctx, "label", genmod::LABEL)?
        .split(&ctx, 0.1, 1)?;
    check(train.columns() == 65 && train.rows() + test.rows() == 1797, "the split")?;

    let how = Options::new(&ctx)?
        .set(&ctx, "seed", 7)?
        .set(&ctx, "steps", 150)?
        .set(&ctx, "coupling", "realnvp")?
        .set(&ctx, "hidden", "64")?
        .set(&ctx, "valid", 0.0)?;
    let adam = Optimizer::new(&ctx, "adam", Some(&Options::new(&ctx)?.set(&ctx, "lr", 0.003)?))?;
    let mut reports = 0;
    let flow = Model::fit(&ctx, "flow", &train, &how, Some(&adam), |at| {
        reports += 1;
        at.step <= 150
    })?;
    check(reports > 0 && flow.columns() == 64, "the fit")?;

    let call = Options::new(&ctx)?.set(&ctx, "seed", 1)?;
    let scores = flow.log_prob_rows(&ctx, &test, Some(&call))?;
    let even = -64.0 * 17f64.ln();
    println!("held out: {:.1} nats a digit (all pixels even: {even:.1})", mean(&scores));
    check(mean(&scores) > even + 30.0, "the mean log probability of held-out digits")?;

    let drawn = flow.sample(&ctx, 8, &call)?;
    check(drawn.iter().all(|v| v.fract() == 0.0), "a drawn pixel is no whole number")?;
    draw(&drawn);

    // A model crosses threads; each has a context of its own. The bits stay.
    let alone = flow.log_prob(&ctx, &drawn, Some(&call))?;
    let copies: Vec<_> = (0..3).map(|_| (flow.clone(), drawn.clone())).collect();
    let workers: Vec<_> = copies
        .into_iter()
        .map(|(flow, drawn)| {
            std::thread::spawn(move || {
                let ctx = Context::new()?;
                let call = Options::new(&ctx)?.set(&ctx, "seed", 1)?;
                flow.log_prob(&ctx, &drawn, Some(&call))
            })
        })
        .collect();
    for worker in workers {
        check(worker.join().unwrap()? == alone, "scores in another thread")?;
    }

    // A slice is read in place; a model comes back from its file with the same bits.
    let lent = Dataset::borrow(&ctx, &drawn, 64)?;
    let again = Model::fit(&ctx, "flow", &lent, &how, None, |_| true)?;
    let file = std::env::temp_dir().join(format!("genmod-rust-{}.model", std::process::id()));
    let file = file.to_str().unwrap_or("genmod-rust.model");
    again.save(&ctx, file)?;
    let loaded = Model::load(&ctx, file)?;
    let _ = std::fs::remove_file(file);
    check(loaded.sample(&ctx, 5, &call)? == again.sample(&ctx, 5, &call)?, "the loaded model")?;

    let wrong = Options::new(&ctx)?.set(&ctx, "seed", 7)?.set(&ctx, "bins", 1)?;
    match Model::fit(&ctx, "flow", &train, &wrong, None, |_| true) {
        Ok(_) => return check(false, "a wrong option was taken"),
        Err(e) => {
            check(e.code == genmod::E_RANGE, "the code of a wrong option")?;
            println!("as it should be refused: {e}");
        }
    }
    let bins = ctx.options("flow")?.into_iter().find(|row| row[0] == "bins");
    let [name, initial, range, help] = bins.unwrap_or_default();
    println!("genmod {}: {name} = {initial}, {range}: {help}", genmod::version());
    ctx.set("threads", "2")?;
    check(range == "2..256", "the table of options")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

/// One component is one normal distribution: by the formulas of regression.
fn densities(ctx: &Context) -> Result<(), Error> {
    let n = 600;
    let rows: Vec<f64> = (0..n)
        .flat_map(|i| [(i as f64).sin(), 0.8 * (i as f64).sin() + 0.6 * (1.7 * i as f64).cos()])
        .collect();
    let column = |j: usize| rows.iter().skip(j).step_by(2);
    let centre = [0, 1].map(|j| column(j).sum::<f64>() / n as f64);
    let cov = |a: usize, b: usize| {
        let pairs = column(a).zip(column(b));
        pairs.map(|(x, y)| (x - centre[a]) * (y - centre[b])).sum::<f64>() / n as f64
    };
    let slope = cov(0, 1) / cov(0, 0);
    let there = centre[1] + slope * (0.5 - centre[0]);
    let spread = (cov(1, 1) - slope * cov(0, 1)).sqrt();

    let data = Dataset::borrow(ctx, &rows, 2)?;
    let seed = Options::new(ctx)?.set(ctx, "seed", 1)?;
    let how = Options::new(ctx)?.set(ctx, "seed", 1)?.set(ctx, "components", 1)?;
    let whole = Options::new(ctx)?.set(ctx, "seed", 1)?.set(ctx, "components", 1)?;
    let model = Model::fit(ctx, "mixture", &data, &whole.set(ctx, "valid", 0)?, None, |_| true)?;
    let row = [0.5, there + spread];
    let (logp, grad) = model.log_prob_gradient(ctx, &row, None)?;
    check(logp == model.log_prob(ctx, &row, None)?, "log p beside its gradient")?;
    check(close(grad[1], -1.0 / spread), "a gradient by its formula")?;
    let given = model.log_prob_given(ctx, &row, &[true, false], None)?[0];
    let tau = 2.0 * std::f64::consts::PI;
    check(close(given, -0.5 - (spread * tau.sqrt()).ln()), "log p given a column")?;
    let middle = Options::new(ctx)?.set(ctx, "how", "mean")?;
    let filled = model.impute(ctx, &[0.5, f64::NAN], &middle)?;
    check(filled[0] == 0.5 && close(filled[1], there), "a mean given a column")?;
    let drawn = model.sample_given(ctx, 2000, &[0.5, f64::NAN], &seed)?;
    let second: Vec<f64> = drawn.iter().skip(1).step_by(2).copied().collect();
    check(drawn.iter().step_by(2).all(|&v| v == 0.5), "what is given stays")?;
    check((mean(&second) - there).abs() < 5.0 * spread / 2000f64.sqrt(), "draws given a column")?;

    let wary = Model::fit_anomaly(ctx, "mixture", &data, &how)?;
    let odd = [0.0, 0.0, 1.0, -3.0];
    let odd = Dataset::borrow(ctx, &odd, 2)?;
    let (score, p) = wary.anomaly(ctx, &odd, None, None)?;
    check(score[1] > score[0] && p[0] > 0.2 && p[1] < 0.01, "oddness")?;
    let p = wary.anomaly(ctx, &odd, Some(&odd), None)?.1;
    check(p[0] == 1.0 && close(p[1], 2.0 / 3.0), "p-values by other rows")?;

    let ladder = Options::new(ctx)?.set(ctx, "seed", 1)?.set(ctx, "seconds", 1)?;
    let ladder = ladder.set(ctx, "rungs", "gaussian,copula")?;
    let (best, tried) = Model::fit_auto(ctx, &data, &ladder)?;
    check(tried.len() == 2 && tried[1].chosen && best.columns() == 2, "the ladder")?;
    for t in &tried {
        check(t.error > 0.0 && t.why.is_empty(), "what was tried")?;
        println!("{}: {:.3} +- {:.3} nats a row", t.rung, t.mean, t.error);
    }
    check(tried[1].mean > tried[0].mean, "the best is best")
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or("examples/data/digits.csv".into());
    if let Err(e) = run(&path).and_then(|_| densities(&Context::new()?)) {
        eprintln!("{e}");
        std::process::exit(1);
    }
}
