/// Products of matrices, and Einstein's notation.
module Curvature.Tests.Onnx.ProductCases

open System

let private matmul: Case =
    Case.any "MatMul" (fun random ->
        let m, k, n = random.Next(1, 5), random.Next(1, 5), random.Next(1, 5)
        let batch = Draw.shape random 0 2
        let other = Draw.narrower random batch
        let side shape = if random.Next 2 = 0 then Draw.fed random shape else Draw.weight random shape

        match random.Next 5 with
        | 0 -> one [] [ Draw.fed random (batch @ [ m; k ]); Draw.weight random [ k; n ] ]
        | 1 -> one [] [ Draw.fed random [ k ]; side (batch @ [ k; n ]) ]
        | 2 -> one [] [ Draw.fed random (batch @ [ m; k ]); side [ k ] ]
        | 3 -> one [] [ Draw.fed random (other @ [ m; k ]); side (batch @ [ k; n ]) ]
        | _ -> one [] [ Draw.fed random (batch @ [ m; k ]); side (other @ [ k; n ]) ])

let private gemm: Case =
    Case.make "Gemm" (fun opset random ->
        let m, k, n = random.Next(1, 6), random.Next(1, 6), random.Next(1, 6)
        let isA, isB = random.Next 2 = 0, random.Next 2 = 0
        let a = if isA then [ k; m ] else [ m; k ]
        let b = if isB then [ n; k ] else [ k; n ]
        let flag isOn name = if isOn then [ name, Int 1L ] else []
        let factors = maybe random ("alpha", Float 0.5) @ maybe random ("beta", Float -1.5)
        let bias = Draw.pick random [ [ n ]; [ m; n ]; [ 1; n ]; [ m; 1 ]; [ 1 ] ]
        let hasBias = opset < 11 || random.Next 3 > 0
        let c = if hasBias then [ Draw.weight random bias ] else []
        one (flag isA "transA" @ flag isB "transB" @ factors) ([ Draw.fed random a; Draw.weight random b ] @ c))

/// Equations, with the shapes of their operands.
let private equations: (string * int list list) list =
    [
        "ij,jk->ik", [ [ 2; 3 ]; [ 3; 4 ] ]
        "ij, jk -> ik", [ [ 2; 3 ]; [ 3; 4 ] ]
        "bhid,bhjd->bhij", [ [ 2; 2; 3; 4 ]; [ 2; 2; 5; 4 ] ]
        "ij->ji", [ [ 2; 3 ] ]
        "ij->", [ [ 2; 3 ] ]
        "ij", [ [ 2; 3 ] ]
        "ba", [ [ 2; 3 ] ]
        "ii->i", [ [ 3; 3 ] ]
        "ii", [ [ 3; 3 ] ]
        "i,j->ij", [ [ 2 ]; [ 3 ] ]
        "...ij,...jk->...ik", [ [ 2; 5; 2; 3 ]; [ 2; 5; 3; 4 ] ]
        "...ij,jk->...ik", [ [ 2; 5; 2; 3 ]; [ 3; 4 ] ]
        "...ij,...jk", [ [ 2; 2; 3 ]; [ 2; 3; 4 ] ]
        "ij,jk,kl->il", [ [ 2; 3 ]; [ 3; 4 ]; [ 4; 2 ] ]
        "bij,bjk->bki", [ [ 3; 2; 2 ]; [ 3; 2; 4 ] ]
        "ij,ij->ij", [ [ 2; 3 ]; [ 2; 3 ] ]
    ]

let private einsum: Case =
    Case.any "Einsum" (fun random ->
        let equation, shapes = Draw.pick random equations
        let operand i shape = if i = 1 then Draw.weight random shape else Draw.fed random shape
        one [ "equation", Text equation ] (List.mapi operand shapes))

let cases: Case list = [ matmul |> Case.slack 3.0; gemm |> Case.slack 3.0; einsum |> Case.slack 3.0 ]
