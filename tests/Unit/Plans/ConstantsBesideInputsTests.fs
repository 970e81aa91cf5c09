/// Compiled functions of arrays that are part constant and part input, where every number is known.
module Curvature.Tests.Unit.Plans.ConstantsBesideInputsTests

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Ways to put constants beside x in one array.
module Joins =

    let private vector (values: float list) = Tensor.ofArray [ values.Length ] (List.toArray values)

    /// Name, the constants that the join adds, and the join.
    let all: (string * float list * (Tensor -> Tensor)) list =
        let part start count (x: Tensor) = Tensor.slice 0 start count x
        let row (x: Tensor) = Tensor.reshape [ 1; x.Size ] x

        let frozen names trained (x: Tensor) =
            let layout =
                ParameterLayout.ofShapes [ for name in names -> name, (if name = trained then [ x.Size ] else [ 2 ]) ]

            let parts = [ for name in names -> name, (if name = trained then x else vector [ 0.7; -0.2 ]) ]

            ParameterLayout.join parts layout

        [
            "constant first", [ 0.7 ], (fun x -> Tensor.concat 0 [ vector [ 0.7 ]; x ])
            "constant in the middle",
            [ 0.7; 0.1 ],
            (fun x -> Tensor.concat 0 [ part 0 1 x; vector [ 0.7; 0.1 ]; part 1 (x.Size - 1) x ])
            "constant last", [ 0.7 ], (fun x -> Tensor.concat 0 [ x; vector [ 0.7 ] ])
            "constants on both sides",
            [ 0.7; -0.2 ],
            (fun x -> Tensor.concat 0 [ vector [ 0.7 ]; Tensor.reverse 0 x; vector [ -0.2 ] ])
            "uniform constant first", [ 0.3; 0.3 ], (fun x -> Tensor.concat 0 [ Tensor.full x.DType [ 2 ] 0.3; x ])
            "broadcast constant first",
            [ 0.7; 0.7 ],
            (fun x -> Tensor.concat 0 [ Tensor.broadcastTo [ 2 ] (vector [ 0.7 ]); x ])
            "stacked, constant first", [ 0.7; 0.2; -0.1 ], (fun x -> Tensor.stack 0 [ vector [ 0.7; 0.2; -0.1 ]; x ])
            "stacked, constant last", [ 0.7; 0.2; -0.1 ], (fun x -> Tensor.stack 1 [ x; vector [ 0.7; 0.2; -0.1 ] ])
            "padded by zeros", [ 0.0; 0.0; 0.0 ], Tensor.pad 0 2 1
            "padded by constants",
            List.replicate 12 0.4,
            (fun x ->
                let side = Tensor.full x.DType [ 1; 1 ] 0.4
                let middle = Tensor.concat 1 [ side; row x; side ]
                let edge = Tensor.full x.DType [ 1; x.Size + 2 ] 0.4
                Tensor.concat 0 [ edge; middle; edge ])
            "frozen layer first", [ 0.7; -0.2 ], frozen [ "frozen"; "trained" ] "trained"
            "frozen layer last", [ 0.7; -0.2 ], frozen [ "trained"; "frozen" ] "trained"
            "frozen layers around", [ 0.7; -0.2; 0.7; -0.2 ], frozen [ "a"; "b"; "c" ] "b"
            "class token before tokens",
            [ 0.7 ],
            (fun x -> Tensor.concat 0 [ Tensor.full x.DType [ 1; 1 ] 0.7; Tensor.reshape [ x.Size; 1 ] x ])
        ]

let private vector (values: float list) = Tensor.ofArray [ values.Length ] (List.toArray values)
let private points = [ [ 1.0; -0.5; 0.25 ]; [ 0.3; 0.2; -1.0 ]; [ -0.7; 0.9; 0.6 ] ]
let private directions = [ [ 1.0; 0.0; 0.0 ]; [ 0.5; -1.0; 2.0 ]; [ -0.3; 0.1; 1.0 ] ]

let private block (operator: LinearOperator) (v: Tensor list) = operator.Definition.Product.Matmat(Tensor.stack 0 v)

/// Checks value, gradient, Hessian products and forms of a loss, compiled once, at three θ in turn and at the first
/// again.
let private check
    (loss: Tensor -> Tensor)
    (value: float list -> float)
    gradient
    (product: float list -> float list -> float list)
    =
    let compiled, slope, family = Compile.func loss, Compile.func (grad loss), Hessian.family (Risk.ofFunction loss)
    let directions = directions |> List.map (List.truncate (List.length (gradient points.Head)))

    for x in points @ [ points.Head ] do
        let theta = vector x
        let point = family theta
        Expect.scalar 1e-14 (value x) (compiled theta)
        Expect.close 1e-14 [| value x |] [| point.Loss |]
        Expect.tensor 1e-14 [ x.Length ] (gradient x) (slope theta)
        Expect.tensor 1e-14 [ x.Length ] (gradient x) point.Gradient
        let expected = directions |> List.map (product x)

        List.iter2 (fun v hv -> Expect.tensor 1e-14 [ x.Length ] hv (point.Hessian.Apply(vector v))) directions expected

        let stacked = directions |> List.map vector |> block point.Hessian
        Expect.tensor 1e-14 [ directions.Length; x.Length ] (List.concat expected) stacked

        for v, hv in List.zip directions expected do
            Expect.scalar 1e-14 (List.map2 (*) v hv |> List.sum) (point.Hessian.QuadraticForm(vector v))

/// The same over three batches, whose weights add up to 2.5.
let private checkBatches (loss: Tensor -> Tensor) (product: float list -> float list -> float list) =
    let weights = Tensor.ofArray [ 5; 1 ] [| 0.5; 1.0; 0.25; 0.5; 0.25 |]
    let batches = Batches.split 2 weights weights
    let weighted (batch: Batch) theta = Tensor.sum batch.Inputs * loss theta

    for x in points do
        let hessian = Hessian.ofRisk (Risk.ofBatches Reduction.Sum weighted batches) (vector x)

        for v in directions do
            let expected = product x v |> List.map (fun hv -> 2.5 * hv)
            Expect.tensor 1e-13 [ x.Length ] expected (hessian.Apply(vector v))

let private names = Joins.all |> List.map (fun (name, _, _) -> name)

[<Tests>]
let tests =
    testList "Unit.Plans.ConstantsBesideInputsTests" [
        test "Σ exp [0.7; x] at 1 has value e^0.7 + e, gradient e and Hessian e" {
            let f (x: Tensor) = Tensor.sum (exp (Tensor.concat 0 [ vector [ 0.7 ]; x ]))
            let one = vector [ 1.0 ]
            let point = Hessian.evaluate (Risk.ofFunction f) one
            Expect.close 1e-15 [| exp 0.7 + exp 1.0 |] [| point.Loss |]
            Expect.tensor 1e-15 [ 1 ] [ exp 1.0 ] point.Gradient
            Expect.tensor 1e-15 [ 1 ] [ exp 1.0 ] (point.Hessian.Apply one)
            Expect.tensor 1e-15 [ 3; 1 ] [ exp 1.0; exp 1.0; exp 1.0 ] (block point.Hessian [ one; one; one ])
        }

        test "logsumexp of [0.7; 1] is 1.554355" {
            let f = Compile.func (fun x -> Tensor.logSumExp (Tensor.concat 0 [ vector [ 0.7 ]; x ]))
            Expect.scalar 1e-6 1.554355 (f (vector [ 1.0 ]))
            Expect.scalar 1e-15 (log (exp 0.7 + exp 2.0)) (f (vector [ 2.0 ]))
        }

        for name in names do
            test $"the sum of exponentials of x beside constants ({name})" {
                let _, constants, join = Joins.all |> List.find (fun (other, _, _) -> other = name)
                let loss x = Tensor.sum (exp (join x))
                let value x = Seq.sumBy exp (x @ constants)
                let product x v = List.map2 (fun x v -> exp x * v) x v
                check loss value (List.map exp) product
                checkBatches loss product
            }

        for isFirst in [ true; false ] do
            test $"logits beside one that is fixed at 0 ({isFirst})" {
                let zero = Tensor.zeros DType.Float64 [ 1 ]
                let join x = Tensor.concat 0 (if isFirst then [ zero; x ] else [ x; zero ])
                let total x = 1.0 + Seq.sumBy exp x
                let shares x = x |> List.map (fun z -> exp z / total x)

                let product x v =
                    let p = shares x
                    let mean = List.map2 (*) p v |> List.sum
                    List.map2 (fun p v -> p * (v - mean)) p v

                check (join >> Tensor.logSumExp) (total >> log) shares product
                checkBatches (join >> Tensor.logSumExp) product
                // The last logit's class: the loss is the logarithm of the sum less the last logit.
                let label = Tensor.ofIndices [ 1 ] [| (if isFirst then 3 else 2) |]
                let loss x = Loss.softmaxCrossEntropy Reduction.Mean label (Tensor.reshape [ 1; 4 ] (join x))
                let value x = log (total x) - List.last x
                let gradient x = List.map2 (-) (shares x) [ 0.0; 0.0; 1.0 ]
                check loss value gradient product

                let gaussNewton =
                    GaussNewton.at
                        (fun x -> Tensor.reshape [ 1; 4 ] (join x))
                        (Loss.softmaxCrossEntropy Reduction.Mean label)

                for x in points do
                    for v in directions do
                        Expect.tensor 1e-14 [ 3 ] (product x v) ((gaussNewton (vector x)).Apply(vector v))
            }

        test "the Jacobian of a join is the identity beside zeros" {
            for name, _, join in Joins.all do
                let x = vector points.Head
                let jacobian = Jacobian.at (join >> Tensor.flatten) x
                let u = Tensor.normal (Key.OfSeed 5L) DType.Float64 [ jacobian.Rows ]
                let v = vector directions[1]
                let image = jacobian.Apply v
                Expect.scalar 1e-14 ((Tensor.dot v v).ToScalar()) (Tensor.dot image image)
                Expect.scalar 1e-14 ((Tensor.dot u image).ToScalar()) (Tensor.dot (jacobian.Transposed.Apply u) v)
                Expect.isTrue name (Seq.forall (fun z -> z = 0.0 || Seq.contains z (v.ToArray())) (image.ToArray()))
        }

        test "0 and −0 stay different constants" {
            let f (x: Tensor) = Tensor.stack 0 [ x / 0.0; x / -0.0; 1.0 / (0.0 * x) + 1.0 / (-0.0 * x) ]
            let x = Tensor.scalar DType.Float64 2.0
            Expect.close 0.0 [| infinity; -infinity; nan |] ((f x).ToArray())
            Expect.close 0.0 [| infinity; -infinity; nan |] ((Compile.func f x).ToArray())
        }
    ]
