module Curvature.Tests.Unit.ScaleTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private labels axis (values: float list) =
    let scale = Scale.create axis 0.0 6 values
    scale.Ticks |> Array.map _.Label |> List.ofArray

[<Tests>]
let tests =
    testList "Unit.ScaleTests" [
        test "ticks of a linear axis are nice numbers" {
            let axis = Axis.linear "x"
            Expect.equal "labels axis [ 0.0; 10.0 ]" [ "0"; "2"; "4"; "6"; "8"; "10" ] (labels axis [ 0.0; 10.0 ])

            Expect.equal
                "labels axis [ -0.23; 0.21 ]"
                [ "−0.2"; "−0.1"; "0.0"; "0.1"; "0.2" ]
                (labels axis [ -0.23; 0.21 ])

            Expect.equal "labels axis [ -6.6; 211.3 ]" [ "0"; "50"; "100"; "150"; "200" ] (labels axis [ -6.6; 211.3 ])

            Expect.equal "labels axis [ 16.0; 7008.0 ]" [ "2,000"; "4,000"; "6,000" ] (labels axis [ 16.0; 7008.0 ])

            Expect.equal
                "labels axis [ 0.0; 2.4e-7 ]"
                [ "0"; "5×10⁻⁸"; "1.0×10⁻⁷"; "1.5×10⁻⁷"; "2.0×10⁻⁷" ]
                (labels axis [ 0.0; 2.4e-7 ])

            Expect.equal
                "labels axis [ 0.0; 2e9 ]"
                [ "0"; "5×10⁸"; "1.0×10⁹"; "1.5×10⁹"; "2.0×10⁹" ]
                (labels axis [ 0.0; 2e9 ])
        }

        test "ticks of a logarithmic axis are powers of ten" {
            let axis = Axis.logarithmic "x"

            Expect.equal
                "labels axis [ 0.001; 20.0 ]"
                [ "0.001"; "0.01"; "0.1"; "1"; "10" ]
                (labels axis [ 0.001; 20.0 ])

            Expect.equal
                "labels axis [ 1e-7; 300.0 ]"
                [ "10⁻⁶"; "10⁻⁴"; "10⁻²"; "10⁰"; "10²" ]
                (labels axis [ 1e-7; 300.0 ])

            Expect.equal "labels axis [ 1.5; 6.0 ]" [ "2"; "5" ] (labels axis [ 1.5; 6.0 ])
            Expect.isTrue "between two numbers" ((labels axis [ 3.1; 3.7 ]).Length >= 2)
            // What is not above 0 does not count, and lies below the lower end.
            let scale = Scale.create axis 0.0 6 [ 0.0; -3.0; 1.0; 100.0; nan; infinity ]
            Expect.close 1e-12 [| 0.0; 0.5; 1.0 |] (Array.map scale.Place [| 1.0; 10.0; 100.0 |])
            Expect.isTrue "below" (scale.Place 0.0 < 0.0 && scale.Place -3.0 < 0.0)
        }

        test "a symmetric logarithmic axis has both signs and zero" {
            let axis = Axis.symmetricLogarithmic 0.01 "x"

            Expect.equal
                "labels axis [ -2.0; 150.0 ]"
                [ "−1"; "−0.1"; "0"; "0.1"; "1"; "10"; "100" ]
                (labels axis [ -2.0; 150.0 ])

            let scale = Scale.create axis 0.0 6 [ -10.0; 10.0 ]
            Expect.close 1e-12 [| 0.0; 0.5; 1.0 |] (Array.map scale.Place [| -10.0; 0.0; 10.0 |])
            Expect.close 1e-12 [| 1.0 |] [| scale.Place 0.3 + scale.Place -0.3 |]
        }

        test "any numbers have places on a scale" {
            for axis in [ Axis.linear "x"; Axis.logarithmic "x"; Axis.symmetricLogarithmic 1.0 "x" ] do
                for values in
                    [
                        []
                        [ 0.0 ]
                        [ 5.0; 5.0 ]
                        [ nan; infinity; -infinity ]
                        [ -1e308; 1e308 ]
                        [ 1e-320; 2e-320 ]
                        [ 1e300; 1e300 ]
                    ] do
                    let scale = Scale.create axis 0.03 6 values

                    for value in values @ [ 0.0; 1.0; infinity; -infinity ] do
                        if not (Double.IsNaN value) then
                            Expect.isTrue $"{axis.Title} {values}: {value}" (Double.IsFinite(scale.Place value))

                    let none = scale.Place nan
                    Expect.isTrue $"{axis.Title} {values}: NaN at {none}" (not (none > 0.0 && none < 1.0))
                    Expect.isTrue $"{values}: {scale.Ticks.Length} ticks" (scale.Ticks.Length < 30)
        }

        test "levels of contours are nice numbers strictly between the ends" {
            Expect.close
                1e-12
                [| 0.2; 0.4; 0.6; 0.8 |]
                (Levels.between 0.1 0.9 |> Array.filter (fun level -> Math.Round(level * 5.0, 9) % 1.0 = 0.0))

            Expect.close 1e-12 [| 0.1; 0.2; 0.5; 1.0; 2.0; 5.0 |] (Levels.between 0.05 6.0)
            Expect.equal "Levels.between 1.0 1.0" [||] (Levels.between 1.0 1.0)
            Expect.isTrue "few" ((Levels.between 1e-30 1e30).Length <= 9)
        }

        test "axes refuse ranges that make no sense" {
            let message =
                (raises<ArgumentRangeException>(fun () -> box ((Axis.linear "x").WithRange(2.0, 1.0)))).Message

            Expect.isTrue message (message.Contains "[2, 1]")
            raises<ArgumentRangeException>(fun () -> box ((Axis.linear "x").WithRange(0.0, infinity))) |> ignore
            raises<ArgumentRangeException>(fun () -> box ((Axis.logarithmic "x").WithRange(0.0, 1.0))) |> ignore
            raises<ArgumentRangeException>(fun () -> box ((Axis.categories [ "a" ] "x").WithRange(0.0, 1.0))) |> ignore
            raises<ArgumentRangeException>(fun () -> box (Axis.symmetricLogarithmic 0.0 "x")) |> ignore
        }
    ]
