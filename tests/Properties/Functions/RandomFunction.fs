namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp

/// One step of a random function: the next value, from all values so far.
[<NoEquality; NoComparison>]
type Step = { Text: string; Next: Tensor list -> Tensor }

/// Draws steps that fit the shapes of given values.
module private Catalogue =

    /// Smooth functions that keep the shape, finite everywhere.
    let elementwise: (string * (Tensor -> Tensor)) list =
        [
            "sin x", sin
            "cos x", cos
            "tanh x", tanh
            "−x", (~-)
            "sigmoid x", Tensor.sigmoid
            "softplus x", Tensor.softplus
            "erf x", Tensor.erf
            "silu x", Tensor.silu
            "gelu x", Tensor.gelu
            "x²/2", (fun x -> 0.5 * Tensor.square x)
            "x³/9", (fun x -> x ** 3.0 / 9.0)
            "1/(1 + x²)", (fun x -> 1.0 / (1.0 + x * x))
            "√(1 + x²)", (fun x -> sqrt (1.0 + x * x))
            "1/√(1 + x²)", (fun x -> Tensor.rsqrt (1.0 + x * x))
            "ln(1 + x²)", (fun x -> Tensor.log1p (x * x))
            "ln(2 + x²)", (fun x -> log (2.0 + x * x))
            "exp(sin x)", (sin >> exp)
            "expm1(tanh x)", (tanh >> Tensor.expm1)
            "erfInverse(0.7 tanh x)", (fun x -> Tensor.erfInverse (0.7 * tanh x))
            "(1 + x²)^0.7", (fun x -> (1.0 + x * x) ** 0.7)
            "max(x, x − 1 − x²)", (fun x -> Tensor.maximum x (x - 1.0 - x * x))
            "min(sin x, 2 + x²)", (fun x -> Tensor.minimum (sin x) (2.0 + x * x))
            "|1 + x²|/3", (fun x -> abs (1.0 + x * x) / 3.0)
            "relu(cos x + 2)", (fun x -> Tensor.relu (cos x + 2.0))
        ]

    /// Derivatives of small functions, so that whatever is asked of the random function is asked of derivatives too.
    let derivatives: (string * (Tensor -> Tensor)) list =
        let weigh (z: Tensor) = Tensor.sum (sin z * z)

        [
            "jvp of z tanh z along cos x", (fun x -> jacobianv (fun z -> z * tanh z) x (cos x))
            "grad of Σ z sin z", grad weigh
            "H·x of Σ exp(−z²)", (fun x -> hessianv (fun z -> Tensor.sum (exp (-(z * z)))) x x)
            "linearize sin applied to x", (fun x -> (snd (linearize sin x)).Apply x)
            "vᵀHv of Σ z sin z along x, times x", (fun x -> 0.1 * quadraticForm weigh x x * x)
            "Jᵀ·x of sigmoid", (fun x -> jacobianTv Tensor.sigmoid x x)
            "Laplacian of Σ z sin z, plus x", (fun x -> 0.1 * laplacian weigh x + x)
            "x − what is captured in a derivative", (fun x -> x - jacobianv (fun z -> sin (z * x)) (cos x) x)
        ]

    let unary (random: Random) (x: Tensor) : (string * (Tensor -> Tensor)) list =
        let shape = List.ofArray x.Shape
        let constant shape = Tensor.ofArray shape (Generators.numbers -1.0 1.0 (random.Next()) (List.fold (*) 1 shape))
        let indices count bound = Tensor.ofIndices [ count ] (Array.init count (fun _ -> random.Next bound))

        [
            yield! elementwise
            yield! derivatives
            "c + x", (let c = constant shape in fun x -> c + x)
            "Σx", Tensor.sum
            "x flattened", Tensor.flatten
            "x in a new axis", Tensor.unsqueeze 0
            "x twice, broadcast", Tensor.broadcastTo (2 :: shape)

            let mask = Tensor.ofArray shape (Array.init x.Size (fun _ -> float (random.Next 2)))
            "where(mask, x, sin x)", (fun x -> Tensor.where mask x (sin x))

            if x.Rank > 0 then
                let axis = random.Next x.Rank
                let length = x.Shape[axis]
                let start = random.Next length
                let count = 1 + random.Next(length - start)
                let q = constant shape |> Tensor.softmax
                let rank = x.Rank
                let positions = indices 3 length
                let places = indices length 4

                let picks =
                    Tensor.ofIndices
                        (List.take (rank - 1) shape)
                        (Array.init (x.Size / x.Shape[rank - 1]) (fun _ -> random.Next x.Shape[rank - 1]))

                let matrix = constant [ x.Shape[rank - 1]; 3 ]
                $"Σx over axis {axis}", Tensor.sumAxes [ axis ]
                $"mean of x over axis {axis}", Tensor.meanAxes [ axis ]
                $"x reversed along axis {axis}", Tensor.reverse axis
                $"{count} of x from {start} along axis {axis}", Tensor.slice axis start count
                $"every other of x along axis {axis}", Tensor.sliceStep axis 0 ((length + 1) / 2) 2
                $"x padded along axis {axis}", Tensor.pad axis 1 2
                $"x joined to x² along axis {axis}", (fun x -> Tensor.concat axis [ x; x * x ])

                $"pieces of x swapped along axis {axis}",
                Tensor.split axis [ start; length - start ] >> List.rev >> Tensor.concat axis

                $"x taken along axis {axis}", Tensor.take axis positions
                $"x scattered along axis {axis}", Tensor.scatterAdd axis 4 places
                $"cumulative sum along axis {axis}", Tensor.cumulativeSum axis
                "x picked from rows", Tensor.pick picks
                "softmax x", Tensor.softmax
                "log softmax x", Tensor.logSoftmax
                "logsumexp x", Tensor.logSumExp
                "cross-entropy of x", (fun x -> Tensor.softmaxCrossEntropy x q)
                "cross-entropy of q at x", (fun x -> Tensor.softmaxCrossEntropy q x)
                "x·C", (fun x -> Tensor.matmul x matrix)
                "rows of x by vmap", vmap (fun row -> tanh row * Tensor.sum row)
                "gradients of rows of x by vmap", vmap (grad (fun row -> Tensor.sum (sin row) * Tensor.sum row))

            if x.Rank > 1 then
                let order =
                    Generators.numbers 0.0 1.0 (random.Next()) x.Rank
                    |> Array.indexed
                    |> Array.sortBy snd
                    |> Array.map fst

                "xᵀ", Tensor.transpose
                $"x permuted", Tensor.permute (List.ofArray order)
                "x·xᵀ", (fun x -> 0.3 * Tensor.matmul x (Tensor.transpose x))
        ]

    let binary (random: Random) (a: Tensor) (b: Tensor) : (string * (Tensor -> Tensor -> Tensor)) list =
        let broadcasts =
            Seq.zip (Seq.rev a.Shape) (Seq.rev b.Shape) |> Seq.forall (fun (m, n) -> m = n || m = 1 || n = 1)

        [
            if broadcasts then
                "a + b", (+)
                "a − b", (-)
                "a·b", (*)
                "a/(1 + b²)", (fun a b -> a / (1.0 + b * b))
                "(1 + a²)^(tanh b)", (fun a b -> (1.0 + a * a) ** tanh b)
                "max(a², −1 − b²)", (fun a b -> Tensor.maximum (a * a) (-1.0 - b * b))

            if a.Shape = b.Shape then
                let axis = random.Next(a.Rank + 1)
                "⟨a, b⟩", Tensor.dot
                "a and b stacked", (fun a b -> Tensor.stack axis [ a; b ])

            if a.Rank = 1 && b.Rank = 1 then "a⊗b", Tensor.outer

            if a.Rank > 1 && b.Rank = 2 && Array.last a.Shape = b.Shape[0] then
                "a·b, matrices", Tensor.matmul

            if a.Rank = 2 && b.Rank = 2 && a.Shape[0] = b.Shape[0] then
                "Σₖ aₖᵢ bₖⱼ → ji", Tensor.einsum "ki,kj->ji"
                "aₖᵢ bₖⱼ → kij", Tensor.einsum "ki,kj->kij"
        ]

/// A random smooth function of one tensor: a few steps, each on one or two of the values so far.
[<NoEquality; NoComparison>]
type RandomFunction =
    {
        Seed: int
        /// Where to look at the function, Float64.
        Point: Tensor
        Steps: Step list
    }

    /// All values, the last one first.
    member f.Values(x: Tensor) : Tensor list =
        f.Steps |> List.fold (fun values step -> step.Next values :: values) [ x ]

    /// The last value, a tensor of some shape.
    member f.Value(x: Tensor) : Tensor = List.head (f.Values x)

    /// A scalar: a weighted sum of all values, so that every step counts.
    member f.Loss(x: Tensor) : Tensor =
        f.Values x
        |> List.mapi (fun i value ->
            let weights =
                Generators.numbers 0.2 1.0 (f.Seed + i) value.Size |> Tensor.ofArray (List.ofArray value.Shape)

            Tensor.sum (Tensor.convert value.DType weights * value))
        |> List.reduce (+)

    /// A direction in the space of the point.
    member f.Direction(i: int) : Tensor = Generators.direction (f.Seed + 1000 + i) f.Point

    override f.ToString() =
        let steps = f.Steps |> List.map _.Text |> String.concat "\n  "
        $"seed {f.Seed}, {f.Steps.Length} steps, at {f.Point}\n  {steps}"

[<RequireQualifiedAccess>]
module RandomFunction =

    let private largest (t: Tensor) = t.ToArray() |> Array.fold (fun m x -> max m (abs x)) 0.0

    /// The step that the random numbers choose, kept within bounds.
    let private draw (random: Random) (values: Tensor list) : Step =
        let i, j = random.Next values.Length, random.Next values.Length
        let pairs = Catalogue.binary random values[i] values[j]
        let singles = Catalogue.unary random values[i]

        let text, next =
            if not pairs.IsEmpty && random.Next 3 = 0 then
                let text, f = pairs[random.Next pairs.Length]
                let a, b = values.Length - 1 - i, values.Length - 1 - j
                $"{text} of values {a} and {b}", fun (values: Tensor list) -> f values[i] values[j]
            else
                let text, f = singles[random.Next singles.Length]
                $"{text} of value {values.Length - 1 - i}", fun (values: Tensor list) -> f values[i]

        if largest (next values) < 8.0 && (next values).Size <= 64 then
            { Text = text; Next = next }
        else
            {
                Text = $"tanh of the mean of the rest for {text}"
                Next = fun values -> tanh (Tensor.mean (next values))
            }

    /// The function of a seed; with fewer steps it is the beginning of the same.
    let make (seed: int) (count: int) : RandomFunction =
        let random = Random seed
        let shape = List.init (random.Next 3) (fun _ -> 1 + random.Next 3)
        let point = Tensor.ofArray shape (Generators.numbers -1.0 1.0 (random.Next()) (List.fold (*) 1 shape))

        let rec extend values steps count =
            if count = 0 then
                List.rev steps
            else
                let step = draw random values
                extend (step.Next values :: values) (step :: steps) (count - 1)

        { Seed = seed; Point = point; Steps = extend [ point ] [] count }

    let private generator =
        gen {
            let! seed = Generators.seed
            let! count = Gen.choose (1, 6)
            return make seed count
        }

    let private shrink (f: RandomFunction) = seq { for count in 1 .. f.Steps.Length - 1 -> make f.Seed count }

    let arbitrary = Arb.fromGenShrink (generator, shrink)

/// Where FsCheck finds random functions.
type RandomFunctions =
    static member Function() : Arbitrary<RandomFunction> = RandomFunction.arbitrary
