/// Two half circles that reach into each other, blurred: points of the plane, and which circle each belongs to.
module Samples.TwoMoons

open System
open Curvature
open Curvature.FSharp

/// Points [count; 2] and labels [count], the circles by turns. The same key gives the same points.
let draw (key: Key) (blur: float) (count: int) : Tensor * Tensor =
    let keys = key.Split 2
    let angles = (Tensor.uniform keys[0] DType.Float64 [ count ]).ToArray() |> Array.map ((*) Math.PI)
    let noise = Tensor.normal keys[1] DType.Float64 [ count; 2 ]

    let points =
        angles
        |> Array.mapi (fun i angle ->
            if i % 2 = 0 then
                [| cos angle; sin angle |]
            else
                [| 1.0 - cos angle; 0.5 - sin angle |])
        |> Array.concat
        |> Tensor.ofArray [ count; 2 ]

    points + blur * noise, Tensor.ofIndices [ count ] (Array.init count (fun i -> i % 2))
