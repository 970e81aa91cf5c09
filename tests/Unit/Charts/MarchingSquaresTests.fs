module Curvature.Tests.Unit.MarchingSquaresTests

open Expecto
open Expecto.Flip
open Curvature.FSharp
open Curvature.Tests

let private places count = Array.init count (fun i -> -1.0 + 2.0 * float i / float (count - 1))

let private onGrid (x: float[]) (y: float[]) (f: float -> float -> float) =
    Array2D.init y.Length x.Length (fun row column -> f x[column] y[row])

let private area (polygon: struct (float * float)[]) =
    let corner i = polygon[i % polygon.Length]

    Seq.init polygon.Length (fun i ->
        let struct (x1, y1) = corner i
        let struct (x2, y2) = corner (i + 1)
        0.5 * (x1 * y2 - x2 * y1))
    |> Seq.sum

let private isRing (line: struct (float * float)[]) = line.Length > 3 && line[0] = Array.last line

[<Tests>]
let tests =
    testList "Unit.MarchingSquaresTests" [
        test "the line of a circle is one ring of points at its radius" {
            let x, y = places 41, places 31
            let lines = MarchingSquares.lines x y (onGrid x y (fun x y -> x * x + y * y)) 0.49
            Expect.equal "lines.Length" 1 lines.Length
            Expect.isTrue "a ring" (isRing lines[0])

            for struct (x, y) in lines[0] do
                // Straight lines between grid points miss a parabola by less than a quarter of the squared spacing.
                Expect.isTrue $"({x}, {y})" (abs (x * x + y * y - 0.49) < 0.25 / 225.0)
        }

        test "lines of a plane are straight and end at the border" {
            let x, y = places 9, places 5
            let lines = MarchingSquares.lines x y (onGrid x y (fun x y -> x + 2.0 * y)) 0.3
            Expect.equal "lines.Length" 1 lines.Length

            for struct (x, y) in lines[0] do
                Expect.close 1e-14 [| 0.3 |] [| x + 2.0 * y |]

            let struct (firstX, firstY) = lines[0][0]
            let struct (lastX, lastY) = Array.last lines[0]

            Expect.isTrue
                "from border to border"
                (max (abs firstX) (abs firstY) = 1.0 && max (abs lastX) (abs lastY) = 1.0)
        }

        test "regions above a level have the area that they should" {
            let x, y = places 81, places 61
            let z = onGrid x y (fun x y -> x * x + y * y)
            let total level = MarchingSquares.regions x y z level |> List.sumBy area
            Expect.close 2e-3 [| 4.0 - System.Math.PI * 0.49 |] [| total 0.49 |]
            Expect.close 1e-12 [| 4.0; 0.0 |] [| total -1.0; total 3.0 |]
        }

        test "the mean of a saddle's corners decides which of them are connected" {
            let cell a b c d = array2D [ [ a; b ]; [ d; c ] ]
            let side = [| 0.0; 1.0 |]
            let lines z = MarchingSquares.lines side side z 0.0
            let regions z = MarchingSquares.regions side side z 0.0
            // Corners 0 and 2 are high, and so is the middle: the lines cut off the low corners (1, 0) and (0, 1).
            let connected = cell 3.0 -1.0 3.0 -1.0
            Expect.equal "(lines connected).Length" 2 (lines connected).Length
            Expect.equal "(regions connected).Length" 1 (regions connected).Length
            Expect.close 1e-14 [| 1.0 - 2.0 * 0.5 * 0.25 * 0.25 |] [| regions connected |> List.sumBy area |]
            // With a low middle, each high corner is on its own.
            let apart = cell 1.0 -3.0 1.0 -3.0
            Expect.equal "(regions apart).Length" 2 (regions apart).Length
            Expect.close 1e-14 [| 2.0 * 0.5 * 0.25 * 0.25 |] [| regions apart |> List.sumBy area |]

            for z in [ connected; apart ] do
                for line in lines z do
                    Expect.equal "line.Length" 2 line.Length
        }

        test "cells with a corner that is not finite are left out" {
            let x = places 11
            let z = onGrid x x (fun x _ -> x)
            z[5, 5] <- nan
            z[0, 0] <- infinity
            let lines = MarchingSquares.lines x x z 0.01
            Expect.equal "lines.Length" 2 lines.Length
            Expect.close 1e-12 [| 4.0 - 5.0 * 0.04 |] [| MarchingSquares.regions x x z -2.0 |> List.sumBy area |]
        }
    ]
