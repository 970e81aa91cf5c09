/// Taylor mode of random programs, where every operand of every primitive is an input, a constant, an earlier result,
/// or a view of one of these: against nested forward mode, and inside vmap, reverse mode and plans.
module Curvature.Tests.Properties.MixedJetLaws

open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Properties.MixedLaws

let private orderOf (p: MixedProgram) = 1 + p.Seed % 4

let private directions (p: MixedProgram) (count: int) =
    List.init count (fun i -> 0.5 * MixedProgram.Direction (p.Seed + 900 + i) p.X)

let private tolerance (p: MixedProgram) = if p.RoundsToSingle then 2e-3 else 1e-8
let private same (p: MixedProgram) = Expect.tensorsClose (tolerance p)

let private output (p: MixedProgram) theta x = p.Joined(theta, x)

/// Derivatives of order k along x + t·v + t²/2·w.
let private nested (f: Tensor -> Tensor) (x: Tensor) (v: Tensor) (w: Tensor) (k: int) =
    let along (t: Tensor) =
        let t = Tensor.convert x.DType t
        f (x + t * (v + 0.5 * t * w))

    diffn k along (Tensor.scalar DType.Float64 0.0)

let private agreesWithNested (p: MixedProgram) =
    let f, v = output p p.Theta, directions p 2
    let found = jet (orderOf p) f p.X (List.truncate (orderOf p) v)
    let w = if orderOf p = 1 then 0.0 * v[1] else v[1]
    found |> List.iteri (fun i d -> same p (nested f p.X v[0] w (i + 1)) d)

let private batchesAndCompiles (p: MixedProgram) =
    let order = min 3 (orderOf p)
    let v = (directions p 1).Head
    let derivative theta x = List.last (jet order (output p theta) x [ v ])
    let points = List.init 3 (fun i -> snd (p.Point i))
    let expected = points |> List.map (derivative p.Theta)
    let stack = Tensor.stack 0 points
    same p (Tensor.stack 0 expected) (vmap (derivative p.Theta) stack)
    let compiled, _ = Compile.functionOf (fun inputs -> [| derivative inputs[0] inputs[1] |])
    let run x = (compiled [| p.Theta; x |])[0]
    List.iter2 (fun x e -> same p e (run x)) points expected
    let frozen = Compile.func (derivative p.Theta)
    List.iter2 (fun x e -> same p e (frozen x)) points expected

let private collapses (p: MixedProgram) =
    let order = min 3 (orderOf p)
    let f = output p p.Theta
    let along = directions p 4
    let stack = Tensor.stack 0 along
    let expected = along |> List.map (fun v -> List.last (jet order f p.X [ v ])) |> List.reduce (+)
    same p expected (sumOfDerivatives order stack f p.X)
    same p expected (Compile.func (sumOfDerivatives order stack f) p.X)
    let points = List.init 2 (fun i -> snd (p.Point i))
    let each = points |> List.map (sumOfDerivatives order stack f) |> Tensor.stack 0
    same p each (vmap (sumOfDerivatives order stack f) (Tensor.stack 0 points))

let private addsUp (p: MixedProgram) =
    let n = p.X.Size
    let f = output p p.Theta
    let basis = Tensor.eye p.X.DType n
    let expected x = sumOfDerivatives 2 basis f x
    same p (expected p.X) (laplacian f p.X)
    same p (expected p.X) (Compile.func (laplacian f) p.X)
    let points = List.init 2 (fun i -> snd (p.Point i))
    same p (points |> List.map expected |> Tensor.stack 0) (vmap (laplacian f) (Tensor.stack 0 points))

let private differentiates (p: MixedProgram) =
    let v, u = (directions p 2)[0], (directions p 2)[1]
    let weigh (y: Tensor) = Tensor.sum (y * Generators.direction p.Seed y)
    let second x = weigh (List.last (jet 2 (output p p.Theta) x [ v ]))
    let collapsed x = weigh (sumOfDerivatives 2 (Tensor.stack 0 [ v ]) (output p p.Theta) x)
    let expected x = weigh (jacobianv (fun x -> jacobianv (output p p.Theta) x v) x v)
    same p (grad expected p.X) (grad second p.X)
    same p (grad expected p.X) (grad collapsed p.X)
    same p (jacobianv expected p.X u) (jacobianv second p.X u)
    same p (jacobianv expected p.X u) (jacobianv collapsed p.X u)

let private law count (entry: Entry) (check: MixedProgram -> unit) =
    MixedPrograms.check count Generators.floating entry check

[<Tests>]
let tests =
    testList "Properties.MixedJetLaws" [
        for entry in Entries.all do
            test $"jets are nested forward mode ({entry})" { law 1 entry agreesWithNested }

        for entry in Entries.all do
            test $"jets in vmap and in plans are jets one by one ({entry})" { law 1 entry batchesAndCompiles }

        for entry in Entries.all do
            test $"collapsed sums, in vmap and in plans too, are sums of jets ({entry})" { law 1 entry collapses }

        for entry in Entries.all do
            test $"Laplacians are sums of second derivatives along all axes ({entry})" { law 2 entry addsUp }

        for entry in Entries.all do
            test $"jets are differentiated forward and in reverse ({entry})" { law 1 entry differentiates }
    ]
