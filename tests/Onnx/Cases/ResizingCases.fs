/// Images of other sizes.
module Curvature.Tests.Onnx.ResizingCases

open System

let private coordinates = [ "half_pixel"; "pytorch_half_pixel"; "align_corners"; "asymmetric" ]
let private rounding = [ "round_prefer_floor"; "round_prefer_ceil"; "floor"; "ceil" ]

/// Scales that are exact in Float32, so that nothing hangs on a rounding error.
let private scales = [ 0.5; 1.0; 2.0; 1.5; 3.0; 0.75 ]

let private resize: Case =
    Case.make "Resize" (fun opset random ->
        let x = Draw.fed random [ random.Next(1, 3); random.Next(1, 3); random.Next(2, 6); random.Next(2, 6) ]
        let mode = Draw.pick random [ "nearest"; "linear" ]
        let scale () = Draw.pick random scales
        let byScales = Weight([ 4 ], [| 1.0; 1.0; scale (); scale () |])

        if opset < 11 then
            let up () = Draw.pick random [ 1.0; 2.0; 3.0 ]
            one [ "mode", Text mode ] [ x; Weight([ 4 ], [| 1.0; 1.0; up (); up () |]) ]
        else
            let attributes =
                [
                    "mode", Text mode
                    "coordinate_transformation_mode", Text(Draw.pick random coordinates)
                    if mode = "nearest" then "nearest_mode", Text(Draw.pick random rounding)
                ]

            let region = Weight([ 0 ], [||])
            let sizes () = [ random.Next(1, 9); random.Next(1, 9) ]

            let whole (x: Data) (sizes: int list) =
                match x with
                | Fed(shape, _) -> whole (shape[..1] @ sizes)
                | _ -> Absent

            match random.Next(if opset >= 18 then 3 else 2) with
            | 0 -> one attributes [ x; region; byScales ]
            | 1 -> one attributes [ x; region; Weight([ 0 ], [||]); whole x (sizes ()) ]
            | _ -> one (("axes", Ints [ 2; 3 ]) :: attributes) [ x; region; Weight([ 2 ], [| 2.0; 0.5 |]) ])

let private upsample: Case =
    Case.make "Upsample" (fun opset random ->
        let x = Draw.fed random [ random.Next(1, 3); random.Next(1, 3); random.Next(2, 5); random.Next(2, 5) ]
        let mode = "mode", Text(Draw.pick random [ "nearest"; "linear" ])
        let scales = [ 1.0; 1.0; Draw.pick random [ 1.0; 2.0; 3.0 ]; Draw.pick random [ 1.0; 2.0 ] ]

        if opset < 9 then
            one [ mode; "scales", Floats scales ] [ x ]
        else
            one [ mode ] [ x; Weight([ 4 ], Array.ofList scales) ])

let cases: Case list = [ resize |> Case.slack 5.0; upsample ]
