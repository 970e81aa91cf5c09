// An operator from a product of your own: the Laplacian of a graph, which is never written as a matrix. The graph is
// Zachary's karate club (1977): 34 members, and who of them met outside the club.
//
//     dotnet fsi own-product.fsx
#r "nuget: Curvature.FSharp"

open Curvature
open Curvature.FSharp

/// For each member, those after him whom he met.
let friends =
    [
        1, [ 2; 3; 4; 5; 6; 7; 8; 9; 11; 12; 13; 14; 18; 20; 22; 32 ]
        2, [ 3; 4; 8; 14; 18; 20; 22; 31 ]
        3, [ 4; 8; 9; 10; 14; 28; 29; 33 ]
        4, [ 8; 13; 14 ]
        5, [ 7; 11 ]
        6, [ 7; 11; 17 ]
        7, [ 17 ]
        9, [ 31; 33; 34 ]
        10, [ 34 ]
        14, [ 34 ]
        15, [ 33; 34 ]
        16, [ 33; 34 ]
        19, [ 33; 34 ]
        20, [ 34 ]
        21, [ 33; 34 ]
        23, [ 33; 34 ]
        24, [ 26; 28; 30; 33; 34 ]
        25, [ 26; 28; 32 ]
        26, [ 32 ]
        27, [ 30; 34 ]
        28, [ 34 ]
        29, [ 32; 34 ]
        30, [ 33; 34 ]
        31, [ 33; 34 ]
        32, [ 33; 34 ]
        33, [ 34 ]
    ]

let edges =
    [|
        for first, others in friends do
            for second in others -> first - 1, second - 1
    |]

/// Lx: for each member, the sum of the differences to those whom he met.
let laplacian (x: float[]) =
    let y = Array.zeroCreate x.Length

    for i, j in edges do
        y[i] <- y[i] + x[i] - x[j]
        y[j] <- y[j] + x[j] - x[i]

    y

let members = 34

let operator =
    LinearOperator.ofDelegate DType.Float64 members members laplacian
    |> LinearOperator.claim OperatorProperties.PositiveSemidefinite
    |> LinearOperator.named "Laplacian"

// The trace counts each edge twice.
printfn $"trace {Exact.trace operator}, for {edges.Length} edges"

// Without its last row and column the Laplacian is definite. Its determinant is the number of trees that connect all
// members (Kirchhoff 1847).
let grounded = LinearOperator.block 0 (members - 1) operator
let sample = StochasticLanczos.sample 20 (members - 1) (Key.OfSeed 1L) grounded
let logDeterminant = StochasticLanczos.logDeterminant sample
let trees = logDeterminant.Interval 0.95
printfn $"ln det {logDeterminant}"
printfn $"between {exp trees.Low:g3} and {exp trees.High:g3} trees, with 95 %% confidence"

// The effective rank is e to the entropy of the eigenvalues' shares of the trace (Roy & Vetterli 2007). The entropy of
// the shares is ln tr A + (−tr A ln A) / tr A.
let all = StochasticLanczos.sample 20 members (Key.OfSeed 2L) operator
let entropy, trace = StochasticLanczos.entropy all, (Exact.trace operator).Value
let effectiveRank = trace * exp (entropy.Value / trace)
printfn $"effective rank {effectiveRank:f1} ± {effectiveRank * entropy.StandardError / trace:f1} of {members}"

// The smallest eigenvalue that is not 0 belongs to the vector that splits the club best (Fiedler 1973).
let pairs = ThickRestartLanczos.find SpectrumEnd.Smallest 2 operator
let split = pairs.Vectors[1].ToArray()

let side =
    [
        for i in 0 .. members - 1 do
            if split[i] * split[0] > 0.0 then i + 1
    ]

printfn $"algebraic connectivity {pairs.Values[1]:f4}; on the side of member 1: %A{side}"
