// Learns the handwritten digits of examples/data/digits.csv, scores digits that it has not seen,
// and draws a few of its own. Then two columns that lean on each other, and what their density
// answers beside.
//
//	cd examples/go
//	export CGO_CFLAGS=-I../../include CGO_LDFLAGS=-L../../build LD_LIBRARY_PATH=../../build
//	go run . ../data/digits.csv
package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

func check(right bool, what string) {
	if !right {
		fmt.Fprintln(os.Stderr, "wrong:", what)
		os.Exit(1)
	}
}

// must ends the program on an error; it takes what most functions here return.
func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func same(x, y []float64) bool {
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return len(x) == len(y)
}

func draw(digits []float64) {
	const ink = " .:-=+*#%@"
	for y := 0; y < 8; y++ {
		for i := 0; i < len(digits); i += 64 {
			for _, pixel := range digits[i+8*y : i+8*y+8] {
				fmt.Printf("%c", ink[int(math.Min(math.Max(pixel, 0), 16)*9/16)])
			}
			fmt.Print("   ")
		}
		fmt.Println()
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

// densities asks one normal distribution: by the formulas of regression.
func densities(ctx *Context) {
	const n = 600
	rows := make([]float64, 0, 2*n)
	var centre [2]float64
	for i := 0.0; i < n; i++ {
		rows = append(rows, math.Sin(i), 0.8*math.Sin(i)+0.6*math.Cos(1.7*i))
	}
	for i, v := range rows {
		centre[i%2] += v / n
	}
	var xx, xy, yy float64
	for i := 0; i < 2*n; i += 2 {
		x, y := rows[i]-centre[0], rows[i+1]-centre[1]
		xx, xy, yy = xx+x*x/n, xy+x*y/n, yy+y*y/n
	}
	there := centre[1] + xy/xx*(0.5-centre[0])
	spread := math.Sqrt(yy - xy*xy/xx)

	data := must(ctx.FromRows(rows, 2))
	seed := Options{"seed": 1}
	model := must(ctx.Fit("mixture", data, Options{"seed": 1, "components": 1, "valid": 0}, nil,
		nil))
	row := []float64{0.5, there + spread}
	logp, gradient, err := model.LogProbGradient(ctx, row, nil)
	must(0, err)
	check(same(logp, must(model.LogProb(ctx, row, nil))), "log p beside its gradient")
	check(near(gradient[1], -1/spread), "a gradient by its formula")
	given := must(model.LogProbGiven(ctx, row, []bool{true, false}, nil))
	check(near(given[0], -0.5-math.Log(spread*math.Sqrt(2*math.Pi))), "log p given a column")
	filled := must(model.Impute(ctx, []float64{0.5, math.NaN()}, Options{"how": "mean"}))
	check(filled[0] == 0.5 && near(filled[1], there), "a mean given a column")
	drawn := must(model.SampleGiven(ctx, 2000, []float64{0.5, math.NaN()}, seed))
	second := make([]float64, 2000)
	for i := range second {
		check(drawn[2*i] == 0.5, "what is given stays")
		second[i] = drawn[2*i+1]
	}
	check(math.Abs(mean(second)-there) < 5*spread/math.Sqrt(2000), "draws given a column")

	wary := must(ctx.FitAnomaly("mixture", data, Options{"seed": 1, "components": 1}))
	odd := must(ctx.FromRows([]float64{0, 0, 1, -3}, 2))
	score, p, err := wary.Anomaly(ctx, odd, nil, nil)
	must(0, err)
	check(score[1] > score[0] && p[0] > 0.2 && p[1] < 0.01, "oddness")
	_, p, err = wary.Anomaly(ctx, odd, odd, nil)
	must(0, err)
	check(p[0] == 1 && near(p[1], 2.0/3), "p-values by other rows")

	best, tried, err := ctx.FitAuto(data,
		Options{"seed": 1, "seconds": 1, "rungs": "gaussian,copula"})
	must(0, err)
	check(len(tried) == 2 && tried[1].Chosen && best.Columns() == 2, "the ladder")
	for _, t := range tried {
		check(t.Error > 0 && t.Why == "", "what was tried")
		fmt.Printf("%s: %.3f +- %.3f nats a row\n", t.Rung, t.Mean, t.Error)
	}
	check(tried[1].Mean > tried[0].Mean, "the best is best")
}

func main() {
	path := "examples/data/digits.csv"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	ctx := must(NewContext())
	data := must(must(ctx.ReadFile(path)).WithRole(ctx, "label", Label))
	train, test, err := data.Split(ctx, 0.1, 1)
	must(0, err)
	check(data.Columns() == 65 && train.Rows()+test.Rows() == data.Rows(), "the split")

	reports := 0
	flow := must(ctx.Fit("flow", train,
		Options{"seed": 7, "steps": 150, "coupling": "realnvp", "hidden": []int{64}, "valid": 0.0},
		Options{"lr": 0.003},
		func(at Progress) bool { reports++; return at.Step <= 150 }))
	check(reports > 0 && flow.Columns() == 64, "the fit")

	call := Options{"seed": 1}
	scores := must(flow.LogProbRows(ctx, test, call))
	even := -64 * math.Log(17)
	fmt.Printf("held out: %.1f nats a digit (all pixels even: %.1f)\n", mean(scores), even)
	check(mean(scores) > even+30, "the mean log probability of held-out digits")

	drawn := must(flow.Sample(ctx, 8, call))
	for _, v := range drawn {
		check(v == math.Floor(v), "a drawn pixel is no whole number")
	}
	draw(drawn)

	// Goroutines, each with a context of its own, share the model; the bits stay.
	alone := must(flow.LogProb(ctx, drawn, call))
	results := make(chan []float64)
	for range [4]int{} {
		go func() {
			mine := must(NewContext())
			results <- must(flow.LogProb(mine, drawn, call))
		}()
	}
	for range [4]int{} {
		check(same(<-results, alone), "scores in another goroutine")
	}

	// From Go's memory; out to a file and back with the same bits.
	again := must(ctx.Fit("flow", must(ctx.FromRows(drawn, 64)),
		Options{"seed": 7, "steps": 5, "layers": 2, "valid": 0}, nil, nil))
	file := filepath.Join(must(os.MkdirTemp("", "genmod-go")), "digits.model")
	must(0, again.Save(ctx, file))
	loaded := must(ctx.Load(file))
	must(0, os.RemoveAll(filepath.Dir(file)))
	check(same(must(loaded.Sample(ctx, 5, call)), must(again.Sample(ctx, 5, call))),
		"the loaded model")

	_, err = ctx.Fit("flow", train, Options{"seed": 7, "bins": 1}, nil, nil)
	var refused *Error
	check(errors.As(err, &refused) && refused.Code == Range, "the code of a wrong option")
	fmt.Println("as it should be refused:", err)
	for _, row := range must(ctx.Options("flow")) {
		if row.Name == "bins" {
			fmt.Printf("genmod %s: %s = %s, %s: %s\n", Version(), row.Name, row.Default, row.Range,
				row.Help)
		}
	}
	must(0, ctx.Set("threads", "2"))
	densities(ctx)
}
