// Learns the handwritten digits of examples/data/digits.csv, scores digits that it has not seen,
// and draws a few of its own.
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
}
