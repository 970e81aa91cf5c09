/// Colourings against their definitions, and against the least numbers of colours that are known.
module Curvature.Tests.Unit.ColouringTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp

/// The pattern of the matrix with ones where a relation holds.
let private pattern rows columns (holds: int -> int -> bool) : SparsityPattern =
    let lists =
        Array.init rows (fun i ->
            [|
                for j in 0 .. columns - 1 do
                    if holds i j then j
            |])

    SparsityPattern(rows, columns, lists |> Array.map _.Length |> Array.scan (+) 0, Array.concat lists)

let private band n width = pattern n n (fun i j -> abs (i - j) <= width)
let private arrow n = pattern n n (fun i j -> i = j || i = 0 || j = 0)

let private randomGraph (seed: int) n edges =
    let random = Random seed
    let set = Collections.Generic.HashSet<struct (int * int)>()

    for _ in 1..edges do
        let i, j = random.Next n, random.Next n
        set.Add(struct (min i j, max i j)) |> ignore

    pattern n n (fun i j -> i = j || set.Contains(struct (min i j, max i j)))

let private adjacent (p: SparsityPattern) i = p.Row i |> Array.filter ((<>) i)

let private isProper (p: SparsityPattern) (colours: int[]) =
    Seq.forall (fun i -> adjacent p i |> Array.forall (fun j -> colours[i] <> colours[j])) (seq { 0 .. p.Rows - 1 })

/// Every path of four vertices has three colours: looked for path by path.
let private isStar (p: SparsityPattern) (colours: int[]) =
    isProper p colours
    && Seq.forall
        (fun b ->
            Seq.forall
                (fun c ->
                    Seq.forall
                        (fun a ->
                            a = c
                            || Seq.forall
                                (fun d -> d = b || d = a || not (colours[a] = colours[c] && colours[b] = colours[d]))
                                (adjacent p c))
                        (adjacent p b))
                (adjacent p b))
        (seq { 0 .. p.Rows - 1 })

/// Two colours share no cycle: each component has fewer edges than vertices.
let private isAcyclic (p: SparsityPattern) (colours: int[]) =
    let most = Array.fold max 0 colours

    let isForest first second =
        let parent = Array.init p.Rows id
        let rec root i = if parent[i] = i then i else root parent[i]

        Seq.forall
            (fun (i, j) ->
                let a, b = root i, root j
                parent[a] <- b
                a <> b)
            (seq {
                for i in 0 .. p.Rows - 1 do
                    for j in adjacent p i do
                        if colours[i] = first && colours[j] = second then i, j
            })

    isProper p colours
    && Seq.forall
        (fun (a, b) -> isForest a b)
        (seq {
            for a in 0..most do
                for b in a + 1 .. most -> a, b
        })

/// Whether a colouring of a kind with so many colours exists, by trying all.
let private exists isValid (p: SparsityPattern) count =
    let colours = Array.create p.Rows -1

    // The vertices up to the i-th, as a graph of their own.
    let part i = pattern i i (fun a b -> p.Contains(a, b))
    let parts = Array.init (p.Rows + 1) part

    let rec go i used =
        i = p.Rows
        || Seq.exists
            (fun colour ->
                colours[i] <- colour
                isValid parts[i + 1] colours[..i] && go (i + 1) (max used (colour + 1)))
            (seq { 0 .. min used (count - 1) })

    go 0 0

let private starColours p order = (SymmetricColouring.star Int32.MaxValue p order).Value
let private acyclicColours p order = (SymmetricColouring.acyclic Int32.MaxValue p order).Value
let private orders = [ VertexOrder.natural; VertexOrder.smallestLast; VertexOrder.largestFirst ]

/// The number of colours that the library chooses for a Hessian of this pattern.
let private chosen (recovery: RecoveryMethod) (p: SparsityPattern) : int =
    // A function with this Hessian: a sum of products of elements.
    let index side =
        [|
            for i in 0 .. p.Rows - 1 do
                for j in p.Row i do
                    if j <= i then (if side then i else j)
        |]
        |> fun items -> Tensor.ofIndices [ items.Length ] items

    let left, right = index true, index false
    let f x = Tensor.sum (Tensor.take 0 left x * Tensor.take 0 right x)
    let options = SparseOptions.Default.WithRecovery(recovery).WithMostColours p.Rows
    let found = SparseHessian.prepareWith options f (Tensor.ones DType.Float64 [ p.Rows ])
    Expect.equal "the pattern" (List.init p.Rows p.Row) (List.init p.Rows found.Pattern.Row)
    found.ColourCount

[<Tests>]
let tests =
    testList "Unit.ColouringTests" [
        test "star colourings are star colourings, and acyclic ones acyclic, in every order" {
            for seed in 1..60 do
                let p = randomGraph seed (4 + seed % 17) (seed % 45)
                let graph = Graph.ofPattern p

                for order in orders do
                    let order = order graph
                    Expect.equal "every vertex once" [ 0 .. p.Rows - 1 ] (List.sort (List.ofArray order))
                    let star, acyclic = starColours graph order, acyclicColours graph order
                    Expect.isTrue $"star, seed {seed}: %A{star}" (isStar p star)
                    Expect.isTrue $"acyclic, seed {seed}: %A{acyclic}" (isAcyclic p acyclic)
                    Expect.isTrue $"as many or fewer colours {seed}" (isAcyclic p star)
        }

        test "columns of one colour share no row" {
            for seed in 1..40 do
                let random = Random seed
                let rows, columns = 1 + random.Next 15, 1 + random.Next 15
                let filled = Array2D.init rows columns (fun _ _ -> random.Next 5 = 0)
                let p = pattern rows columns (fun i j -> filled[i, j])

                for order in [ Array.init columns id; ColumnColouring.largestFirst p.Transposed ] do
                    let colours = ColumnColouring.greedy p p.Transposed order

                    for i in 0 .. rows - 1 do
                        let inRow = p.Row i |> Array.map (Array.get colours)
                        Expect.equal $"row {i} of seed {seed}" inRow.Length (Array.distinct inRow).Length
        }

        // A diagonal has no edge. An arrow is a star, whose hub needs a colour of its own: two colours, which no path
        // of four vertices can violate. A path of four vertices needs three colours for a star colouring (its
        // definition), and two for an acyclic one, since it has no cycle.
        for name, p, star, acyclic in
            [
                "diagonal", band 9 0, 1, 1
                "tridiagonal", band 9 1, 3, 2
                "arrow", arrow 9, 2, 2
                "pairs", pattern 8 8 (fun i j -> i / 2 = j / 2), 2, 2
                "dense", band 6 5, 6, 6
            ] do
            test $"the least numbers of colours are found ({name})" {
                Expect.equal "star" star (chosen RecoveryMethod.Direct p)
                Expect.equal "acyclic" acyclic (chosen RecoveryMethod.Substitution p)
                Expect.isTrue "star: fewer do not exist" (star = 1 || not (exists isStar p (star - 1)))
                Expect.isTrue "acyclic: fewer do not exist" (acyclic = 1 || not (exists isAcyclic p (acyclic - 1)))
            }

        // A band of half-width k has cliques of k + 1 vertices, and colours that repeat after k + 1 leave paths alone:
        // k + 1 is the least for acyclic colourings. For star colourings it is 2k + 1 from 3k + 1 columns on (Coleman &
        // Moré 1984): a band of 3k + 1 columns, which every longer one contains, has none with 2k, as all are tried.
        for width in [ 1; 2; 3 ] do
            test $"a band of half-width {width} has the least number of colours" {
                Expect.isFalse "fewer do not exist" (exists isStar (band (3 * width + 1) width) (2 * width))
                Expect.isFalse "fewer do not exist" (exists isAcyclic (band (width + 2) width) width)

                for n in [ 3 * width + 1; 40; 201 ] do
                    Expect.equal $"star, {n}" (2 * width + 1) (chosen RecoveryMethod.Direct (band n width))
                    Expect.equal $"acyclic, {n}" (width + 1) (chosen RecoveryMethod.Substitution (band n width))
            }

        test "the order of the variables does not matter to an arrow or a path" {
            let shuffled (p: SparsityPattern) =
                let order = Array.init p.Rows id
                (Random 5).Shuffle order
                pattern p.Rows p.Rows (fun i j -> p.Contains(order[i], order[j]))

            for n in [ 10; 50; 200 ] do
                Expect.equal "arrow" 2 (chosen RecoveryMethod.Direct (shuffled (arrow n)))
                Expect.equal "path" 3 (chosen RecoveryMethod.Direct (shuffled (band n 1)))
                Expect.equal "path" 2 (chosen RecoveryMethod.Substitution (shuffled (band n 1)))
        }

        test "an arrow of 100,000 columns is coloured in a moment" {
            let n = 100_000
            let arms = Array.init n (fun i -> if i = 0 then [| 0 .. n - 1 |] else [| 0; i |])
            let p = SparsityPattern(n, n, arms |> Array.map _.Length |> Array.scan (+) 0, Array.concat arms)
            let graph = Graph.ofPattern p

            for order in orders do
                let order = order graph
                Expect.equal "star" 2 (1 + Array.max (starColours graph order))
                Expect.equal "acyclic" 2 (1 + Array.max (acyclicColours graph order))
        }

        test "more colours than a limit are none" {
            let graph = Graph.ofPattern (band 6 5)
            let order = VertexOrder.natural graph
            Expect.isTrue "five" (SymmetricColouring.star 5 graph order).IsNone
            Expect.isTrue "six" (SymmetricColouring.star 6 graph order).IsSome
            Expect.isTrue "five, acyclic" (SymmetricColouring.acyclic 5 graph order).IsNone
        }

        test "a colouring that mixes entries is noticed" {
            // Both ends of a path of four have the colours of the others: no entry of the middle stands alone.
            let path = band 4 1
            let recover colours allows () = SymmetricRecovery(path, colours, allows) |> ignore
            Expect.throwsT<OperatorException> "direct" (recover [| 0; 1; 0; 1 |] false)
            recover [| 0; 1; 0; 1 |] true ()
            recover [| 0; 1; 2; 0 |] false ()
            let cycle = pattern 4 4 (fun i j -> i = j || (i + 1) % 4 = j || (j + 1) % 4 = i)

            Expect.throwsT<OperatorException> "a cycle" (fun () ->
                SymmetricRecovery(cycle, [| 0; 1; 0; 1 |], true) |> ignore)
        }
    ]
